/** A mistake of who called the program: one line, and exit code 2. */
export function refuse(program, mistake) {
  console.error(`${program}: ${mistake}`);
  process.exit(2);
}

#include "postrider/app/cli/problem.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

ApiAnswer answered(int status, std::string body) {
  ApiAnswer answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

TEST(Problem, shows_title_detail_code_and_request) {
  const Error error = problem_of(answered(400, R"({"title":"Invalid request","status":400,
    "detail":"2 facts are wrong","code":"invalid_argument","request_id":"r1",
    "errors":[{"pointer":"/3/type","detail":"is missing"},
              {"pointer":"/4","detail":"no object"}]})"));
  EXPECT_EQ(error.detail, "Invalid request: 2 facts are wrong (invalid_argument, request r1)");
  EXPECT_EQ(error.fields,
            (std::vector<FieldError>{{"/3/type", "is missing"}, {"/4", "no object"}}));
}

TEST(Problem, stands_in_for_an_answer_of_another_form) {
  for (const char* body : {"", "<html>", "[]", "{}", R"({"title":7})"}) {
    EXPECT_EQ(problem_of(answered(502, body)).detail, "the server answered 502") << body;
  }
}

TEST(Problem, tells_apart_what_may_pass) {
  EXPECT_EQ(problem_of(answered(503, "")).code, Code::overloaded);
  EXPECT_EQ(problem_of(answered(507, "")).code, Code::storage_full);
  EXPECT_EQ(problem_of(answered(400, "")).code, Code::bad_status);
}

}  // namespace
}  // namespace postrider

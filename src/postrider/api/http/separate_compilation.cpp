// Beast's function bodies are compiled once, here. Asio's are in drivers/asio.
#include <boost/beast/src.hpp>

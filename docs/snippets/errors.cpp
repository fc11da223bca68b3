// Errors are values with a code and a sentence; what cannot be expected is an exception.
#include <iostream>
#include <string>

#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/options.hpp>

using namespace greenroom;

result<int> parse_pieces(const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos)
    return error(errc::parse, "'" + text + "' is no number of pieces: write digits only");
  return std::stoi(text);
}

result<int> price_of(const std::string& text) {
  return parse_pieces(text).and_then([](int pieces) -> result<int> {
    if (pieces > 100) return errc::limit; // the code's own sentence
    return pieces * 3;
  });
}

int main() {
  for (const char* text : {"7", "many", "1000"}) {
    const auto price = price_of(text);
    if (price) std::cout << *price << '\n';
    if (!price) std::cout << to_string(price.error().code()) << ": " << price.error().message() << '\n';
  }
  options how;
  const auto misspelt = set(how, "worker", "4");
  std::cout << misspelt.error().message() << '\n';
  try {
    (void)bounded(-1); // a programming error
  } catch (const usage_error& e) {
    std::cout << e.what() << '\n';
  }
}

#include <greenroom/http/internal/mime_types.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::http::internal::mime_types_test {
namespace {

using table = std::vector<std::pair<std::string_view, std::string_view>>;

constexpr std::string_view unknown = "application/octet-stream";

TEST(MimeTypes, AreToldByTheExtension) {
  for (const auto& [name, type] : table{{"index.html", "text/html; charset=utf-8"},
                                        {"style.css", "text/css; charset=utf-8"},
                                        {"main.js", "text/javascript; charset=utf-8"}, // RFC 9239
                                        {"main.mjs", "text/javascript; charset=utf-8"},
                                        {"a.txt", "text/plain; charset=utf-8"},
                                        {"a.json", "application/json"}, // RFC 8259 section 11: no charset
                                        {"a.map", "application/json"},
                                        {"a.svg", "image/svg+xml"},
                                        {"a.wasm", "application/wasm"},
                                        {"a.png", "image/png"},
                                        {"a.jpeg", "image/jpeg"},
                                        {"a.jpg", "image/jpeg"},
                                        {"a.webp", "image/webp"},
                                        {"a.avif", "image/avif"},
                                        {"favicon.ico", "image/vnd.microsoft.icon"},
                                        {"a.woff2", "font/woff2"},
                                        {"a.mp4", "video/mp4"},
                                        {"a.pdf", "application/pdf"},
                                        {"app.webmanifest", "application/manifest+json"},
                                        {"a.7z", "application/x-7z-compressed"}, // the first row
                                        {"a.zst", "application/zstd"}})          // the last one
    EXPECT_EQ(content_type_of_file(name), type) << name;
}

TEST(MimeTypes, LookAtWhatFollowsTheLastDotOfTheNameInAnyCase) {
  for (const auto& [name, type] : table{{"A.HTML", "text/html; charset=utf-8"},
                                        {"a.tar.gz", "application/gzip"},
                                        {"a.gz.png", "image/png"},
                                        {"a..png", "image/png"},
                                        {"/srv/site.d/a.png", "image/png"},
                                        {"/srv/site.png/readme", unknown},
                                        {"a.png/", unknown},
                                        {"\xc3\xa9.png", "image/png"}})
    EXPECT_EQ(content_type_of_file(name), type) << name;
}

TEST(MimeTypes, AreUnknownOtherwise) {
  for (const std::string name : {"", ".", "..", "/", "a", "a.", "png", ".png", "/srv/.html", "a.unheard", "a.htmlx",
                                 "a.htm l", "a.p", "a.png ", "a.webmanifestwebmanifest", "a.\xff"})
    EXPECT_EQ(content_type_of_file(name), unknown) << name;
  EXPECT_EQ(content_type_of_file(std::string_view("a.png\0", 6)), unknown);
}

TEST(MimeTypes, AllTextHasACharset) {
  for (const auto* name : {"a.cjs", "a.csv", "a.htm", "a.ics", "a.log", "a.md", "a.markdown", "a.vcf", "a.vtt"}) {
    const auto type = content_type_of_file(name);
    EXPECT_TRUE(type.starts_with("text/") && type.ends_with("; charset=utf-8")) << name << ": " << type;
  }
}

} // namespace
} // namespace greenroom::http::internal::mime_types_test

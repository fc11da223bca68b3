// What the command line, the environment and a file say.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include <greenroom/http/server.hpp>
#include <greenroom/runtime/options.hpp>

struct settings {
  greenroom::options system;
  greenroom::http::server_options http;
  std::filesystem::path db;                 // empty: nothing is kept
  std::filesystem::path ledger;             // of the bank; empty: in memory
  std::filesystem::path jobs;               // on schedules; empty: in memory
  std::chrono::milliseconds crash_every{0}; // 0: never
  std::string collector = {};               // of traces; empty: requests are not traced
  bool graph_page = true;                   // the live page of the shop, and /graph.json, /graph.dot, /graph.mmd
  std::string help;                         // not empty: print it and do nothing else
};

/// Errors: a sentence that names the option.
greenroom::result<settings> read_settings(int argc, const char* const* argv);

// A bank behind the HTTP front: accounts, transfers and holds in JSON. Each order has a key: sent again, as after a connection that broke, it is carried out once.
#pragma once

#include <filesystem>

#include <greenroom/actors/ledger.hpp>
#include <greenroom/http/routes.hpp>

/// Opens the books in a file; in memory if it is empty. Errors: those of its journal, seen before the server takes anybody in.
greenroom::result<greenroom::money::ledger> open_books(greenroom::actor_system& sys, const std::filesystem::path& file);
/// Returns the routes of the bank, with a limit for each client.
greenroom::http::routes bank_routes(const greenroom::money::ledger& books);

#include <greenroom/actors/ledger.hpp>

namespace greenroom::money {

ledger::ledger(actor_system& sys, ledger_options how, std::source_location where)
    : books_(
          sys, [file = how.file] { return open_sqlite_journal(file); }, how.keeping, where) {}

} // namespace greenroom::money

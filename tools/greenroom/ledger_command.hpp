// `greenroom ledger verify FILE`: checks a ledger, also of a server that runs.
#pragma once

#include <greenroom/tools/greenroom/command.hpp>

namespace cli {
extern const command ledger_command;
}

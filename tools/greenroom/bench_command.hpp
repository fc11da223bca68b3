// `greenroom bench`: the micro benchmarks of tools/bench, on the machine of whoever asks.
#pragma once

#include <greenroom/tools/greenroom/command.hpp>

namespace cli {
extern const command bench_command;
}

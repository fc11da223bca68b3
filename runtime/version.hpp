// The version of Greenroom, for programs that must know what they were compiled for. CMake reads it from here.
// Thread safety: nothing here runs.
// Before 1.0 each minor version may break the binary interface: libraries of nodes are refused by another one (node_plugin.hpp).
#pragma once

/// The version, "major.minor.patch".
#define GREENROOM_VERSION "0.1.0"

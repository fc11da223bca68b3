#!/usr/bin/env python3
"""Tests how CAF is found: find_caf_test.py BUILD, where BUILD is a build of Greenroom with its install rules.

Plants installations of CAF that have no code in them, one of each form, and configures a small project with them.
"""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

MODULES = Path(__file__).resolve().parents[2] / "tools" / "cmake"
BUILD = Path(sys.argv.pop(1)).resolve()

PROJECT = """cmake_minimum_required(VERSION 3.25)
project(finds_caf LANGUAGES CXX)
foreach(part IN ITEMS CMAKE_SYSTEM_PATH SYSTEM_ENVIRONMENT_PATH PACKAGE_REGISTRY) # not what this machine has
  set(CMAKE_FIND_USE_${part} OFF)
endforeach()
if(PACKAGE)
  find_package(greenroom REQUIRED)
else()
  find_package(CAF 0.17.6 REQUIRED COMPONENTS ${COMPONENTS})
  message(STATUS "CAF ${CAF_VERSION} in ${CAF_INCLUDE_DIR}")
endif()
"""

# As CAF's own package is from 0.18 on, which takes no other version than its own.
CONFIG = """add_library(CAF::core SHARED IMPORTED)
set_target_properties(CAF::core PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${CMAKE_CURRENT_LIST_DIR}/../../../include"
                                           IMPORTED_LOCATION "${CMAKE_CURRENT_LIST_DIR}/../../libcaf_core.so")
"""
CONFIG_VERSION = """set(PACKAGE_VERSION "{version}")
if(PACKAGE_FIND_VERSION AND NOT PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
  set(PACKAGE_VERSION_UNSUITABLE TRUE)
else()
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
"""


def macros(version):
    major, minor, patch = version.split(".")
    if major == "0":
        return f"#define CAF_VERSION {minor}{int(patch):02}\n"
    return (f"#define CAF_VERSION 0{minor}0{patch}\n#define CAF_VERSION_MAJOR {major}\n"
            f"#define CAF_VERSION_MINOR {minor}\n#define CAF_VERSION_PATCH {patch}\n")


class FindCaf(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = Path(cls.folder.name).resolve()
        (cls.root / "CMakeLists.txt").write_text(PROJECT)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def install(self, version, libraries=("core", "io"), package=False):
        prefix = self.root / f"caf{version}"
        shutil.rmtree(prefix, ignore_errors=True)
        headers = prefix / "include" / "caf"
        (headers / "detail").mkdir(parents=True)
        own = headers / "detail" / "build_config.hpp" if version[0] != "0" else headers / "config.hpp"
        (headers / "config.hpp").write_text("#pragma once\n")
        own.write_text(macros(version))
        config = prefix / "lib" / "cmake" / "CAF"
        config.mkdir(parents=True)
        for name in libraries:
            (prefix / "lib" / f"libcaf_{name}.so").touch()
        if package:
            (config / "CAFConfig.cmake").write_text(CONFIG)
            (config / "CAFConfigVersion.cmake").write_text(CONFIG_VERSION.format(version=version))
        return prefix

    def configure(self, *arguments, components="core"):
        # One folder for all, so that the compiler is looked at once; what concerns CAF is forgotten.
        done = subprocess.run(
            ["cmake", "-G", "Ninja", "-S", self.root, "-B", self.root / "build", "-UCAF_*", "-Ugreenroom_*", "-UCMAKE_PREFIX_PATH", "-UPACKAGE",
             f"-DCMAKE_MODULE_PATH={MODULES}", f"-DCOMPONENTS={components}", *arguments],
            capture_output=True, text=True, check=False)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    def assert_found(self, prefix, sentence, **how):
        code, output = self.configure(f"-DCMAKE_PREFIX_PATH={prefix}", **how)
        self.assertEqual(code, 0, output)
        self.assertIn(sentence, output)

    def assert_fault(self, sentence, *arguments, **how):
        code, output = self.configure(*arguments, **how)
        self.assertNotEqual(code, 0, output)
        self.assertIn(sentence, output)

    def test_each_version_is_found_and_named(self):
        for version in ("0.17.6", "0.18.7", "1.1.0"):
            for package in (False, True):
                prefix = self.install(version, package=package)
                self.assert_found(prefix, f"CAF {version} in {prefix}/include")

    def test_a_version_that_is_untested_is_named(self):
        self.assert_found(self.install("2.0.1"), "CAF 2.0.1 is newer than what Greenroom is tested with")

    def test_io_is_found_beside_the_package(self):
        self.assert_found(self.install("0.18.7", package=True), "CAF 0.18.7 in", components="core;io")

    def test_no_caf_is_answered_with_what_to_install(self):
        self.assert_fault("apt-get install libcaf-dev")

    def test_a_version_before_0_17_6_is_refused(self):
        prefix = self.install("0.16.2")
        self.assert_fault(f"what was found is 0.16.2, in {prefix}/include", f"-DCMAKE_PREFIX_PATH={prefix}")

    def test_a_missing_library_is_answered_by_version(self):
        for version, advice in (("0.17.6", "install the package libcaf-dev"), ("1.1.0", "CAF_ENABLE_IO_MODULE=ON")):
            prefix = self.install(version, libraries=["core"], package=version[0] == "1")
            self.assert_fault(advice, f"-DCMAKE_PREFIX_PATH={prefix}", components="core;io")

    def test_the_installed_package_takes_no_other_caf_than_it_was_built_with(self):
        prefix = self.install("0.99.0", package=True)
        self.assert_fault(f"but CAF 0.99.0 was found, in {prefix}/include", f"-DCMAKE_PREFIX_PATH={prefix}",
                          f"-Dgreenroom_DIR={BUILD}", "-DPACKAGE=ON")


if __name__ == "__main__":
    unittest.main()

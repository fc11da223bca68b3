// expect: an actor's name must be a string literal; put one made at run time into spawn_options::made_name
// An actor's name is a literal; one made at run time goes into made_name.
#include <string>

#include <greenroom/runtime/spawn.hpp>

greenroom::spawn_options options(const std::string& name) {
#ifdef GREENROOM_CONTROL
  return {.made_name = name};
#else
  return {.name = name.c_str()};
#endif
}

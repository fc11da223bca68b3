// wire: how values of a type cross from one process to another, as bytes. A type is described once, beside it:
//
//   struct order { std::string sku; std::int32_t pieces; std::optional<std::string> note; };
//
//   template <class Inspector>
//   bool inspect(Inspector& f, order& o) {
//     return f.object(o).fields(f.field("sku", o.sku), f.field("pieces", o.pieces), f.field("note", o.note));
//   }
//
//   std::string bytes = wire_encode(o);
//   result<order> same = wire_decode<order>(bytes);
//   wire_type_of<order>().layout;              // "{sku:text,pieces:i32,note:text?}"
//
// What can cross: bool, integers, floating point, enumerations, std::string, std::vector and other sequences, std::array, sets and maps, std::optional,
// std::pair, std::tuple, std::variant, durations, points of the system clock, and what has an inspect(), found by its namespace. A number that is none of an enumeration's is taken as it comes. The form of
// inspect() is that of CAF 0.18 and later, so that one description serves both.
// Thread safety: pure functions. Lifetime: what they return owns its bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <greenroom/actors/detail/wire_layout.hpp>
#include <greenroom/actors/detail/wire_reader.hpp>
#include <greenroom/actors/detail/wire_writer.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// The version of a type, for changes of meaning that its layout does not show. To change it:
///
///   template <> inline constexpr std::uint32_t greenroom::wire_version<order> = 2;
template <class T>
inline constexpr std::uint32_t wire_version = 1;

/// True for a type that has an inspect() for something else, CAF say, with fields that cannot cross: a graph then does not try. To say so:
///
///   template <> inline constexpr bool greenroom::wire_stays<session> = true;
template <class T>
inline constexpr bool wire_stays = false;

/// What both sides compare before the first value crosses.
struct wire_type {
  std::string
      name; ///< as C++ spells it, "shop::order", or what inspect() gives as pretty_name; the layout of what has no inspect()
  std::uint32_t version; ///< wire_version
  std::string layout;    ///< names and types of the fields, in their order

  friend bool operator==(const wire_type&, const wire_type&) = default;
};

/// Returns how T crosses. Cost: walks the type; for connections, not for values.
template <class T>
wire_type wire_type_of() {
  detail::wire_layout walk;
  T like{};
  detail::visit_wire(walk, like);
  return {walk.name_of<T>(), wire_version<T>, std::move(walk).text()};
}

/// Returns nothing if values of `theirs` can be taken as `ours`; else type_mismatch with a sentence that says what differs.
GREENROOM_EXPORT result<void> compare_wire_types(const wire_type& ours, const wire_type& theirs);

/// Appends the value. Integers take their own size, least byte first; texts and sequences a length of four bytes and their content.
template <class T>
void wire_encode_to(std::string& bytes, const T& value) {
  detail::wire_writer walk(bytes);
  // inspect() takes what it could change; a writer only reads.
  detail::visit_wire(walk, const_cast<T&>(value)); // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

/// Returns the value as bytes.
template <class T>
std::string wire_encode(const T& value) {
  std::string bytes;
  wire_encode_to(bytes, value);
  return bytes;
}

/// Returns the value that all of the bytes hold. Bytes may come from strangers: never more memory than some times their number is taken.
/// Errors: parse, with the path of the field and what is wrong there.
template <class T>
result<T> wire_decode(std::string_view bytes) {
  detail::wire_reader walk(bytes);
  T value{};
  if (detail::visit_wire(walk, value) && walk.at_end()) return value;
  return walk.failure(detail::wire_layout::name_of<T>());
}

} // namespace greenroom

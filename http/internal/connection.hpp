// One connection: reads requests, has each answered, writes the answers in order. serve_connection() is the actor; the class holds its
// state and does all that does not wait.
//
// Memory: what the parser has not taken and what the client has not taken is kept; an idle connection holds neither, nor a buffer to
// read into: reading goes through one of the worker's, which is never used across a wait.
// Thread safety: owned by its actor; wake() any thread while it is in its lane's list.
// Lifetime: within its actor's frame; its requests' actors may outlive it for as long as they unwind.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <greenroom/http/internal/exchange.hpp>
#include <greenroom/http/internal/request_parser.hpp>
#include <greenroom/http/internal/response_writer.hpp>
#include <greenroom/http/internal/server_core.hpp>

namespace greenroom::http::internal {

class connection {
public:
  connection(server_core& server, lane& in, std::unique_ptr<stream> io);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection();

  /// What comes next.
  enum class step : std::uint8_t {
    wait_for_input,  // nothing more can be done with what has come
    wait_for_answer, // a request actor has been started
    send,            // enough has been answered
    finish           // nothing more will be read
  };
  /// Does what can be done without waiting: parses what has come, refuses, routes, starts. What it leaves is kept.
  step advance();

  // -- input --------------------------------------------------------------------------------------------
  /// Reads what is there; false if that was nothing. It may stay in the worker's buffer: requires that advance() follows before the
  /// next wait.
  bool read();
  /// The same while a request is under way: what was read is kept for later.
  void read_ahead();
  /// Returns whether nothing more will come, or none of it matters.
  bool gone() const noexcept { return ended_ || broken_; }
  /// Gives back all memory that is not needed while nothing comes.
  void release_memory() noexcept;
  /// Until when the client may take to send what is missing.
  time_point input_deadline();
  void input_is_late();
  /// Returns whether the connection should end rather than wait for input.
  bool should_close() const noexcept;

  // -- the request being answered -----------------------------------------------------------------------
  exchange& under_way() noexcept { return *answering_.operator->(); }
  bool answered() { return answering_->ended(); }
  /// Puts the answer, or what stands for it, behind the earlier ones.
  void take_answer();
  /// Gives the client the answer of the route for this case, and cancels the work.
  void answer_is_late();
  /// Cancels the work, since the client has sent its last byte and most probably left; the answer is still waited for.
  void client_has_left();
  /// Cancels the work and lets go of it; there is nobody to answer.
  void connection_is_lost();
  /// Returns whether there is room to read ahead, which is also how the leave of the client is seen.
  bool may_read_ahead() const noexcept;

  // -- output -------------------------------------------------------------------------------------------
  bool has_output() const noexcept { return sent_ < out_.size(); }
  /// Writes what the client takes now; false when it takes no more, or is gone.
  bool write();
  void output_is_late() noexcept { broken_ = true; }

  bool broken() const noexcept { return broken_; }
  /// Returns whether the client may send what will not be read: closing at once would make its system drop our last answer.
  bool must_linger() const noexcept { return linger_ && !broken_ && !ended_; }
  /// Reads and forgets; false when nothing more will come.
  bool read_on();

  stream& io() noexcept { return *io_; }
  const http::limits& limits() const noexcept { return server_.options.limits; }
  time_point now() const noexcept { return server_.system.now(); }

private:
  friend class server_core;

  step take_input();
  void keep_input();
  void parse() { input_.remove_prefix(parser_.parse(input_)); }
  void admit();
  void begin();
  void refuse(int status, std::string reason);
  void answer(const response& r, answer_form form);
  bool is_cut_off() const noexcept;

  server_core& server_;
  lane& lane_;
  const std::unique_ptr<stream> io_;
  connection* prev_ = nullptr; // guarded by lane_.lock, as is the following
  connection* next_ = nullptr;

  request_parser parser_;
  std::string_view
      input_; // read, but not yet parsed; in pending_, or between read() and advance() in the worker's buffer
  std::string pending_;
  std::string out_;      // answered, but not yet sent
  std::size_t sent_ = 0; // of out_
  time_point input_deadline_ = never;
  held_exchange answering_;
  const route* route_ = nullptr;    // of the request that is being read
  std::optional<response> instead_; // its answer if there is no route
  answer_form form_;                // of the request that is being answered
  bool ended_ = false;              // the client sends no more
  bool left_ = false;               // and so its request was cancelled
  bool broken_ = false;             // nothing reaches the client any more
  bool closing_ = false;            // no further request is taken
  bool linger_ = false;             // the last answer may still be on its way
};

/// Serves one connection to its end.
task<> serve_connection(open_connection here, lane* in, std::unique_ptr<stream> io);

} // namespace greenroom::http::internal

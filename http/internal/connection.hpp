// One connection: reads requests, has each answered, writes the answers in order. The class holds its state and does all that does not
// wait; serve_connection.hpp is the actor.
//
// Memory: what the parser has not taken and what the client has not taken is kept; an idle connection holds neither, nor a buffer to
// read into: reading goes through one of the worker's, which is never used across a wait.
// Thread safety: owned by its actor; wake() any thread while it is in its lane's list.
// Lifetime: within its actor's frame; its requests' actors may outlive it for as long as they unwind.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
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
  /// `peer` is the client's address, as requests and logs show it. Requires: it outlives the connection.
  connection(server_core& server, lane& in, std::shared_ptr<stream> io, const std::string& peer);
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
  /// Returns whether the request actor has ended and left a whole answer.
  bool answered() { return answering_->ended() && !answering_->goes_on_behind_head(); }
  /// Returns whether something else was answered in place of the request actor.
  bool finished_early() const noexcept { return !answering_; }
  /// Puts the answer, or what stands for it, behind the earlier ones.
  void take_answer();
  /// Gives the client the answer of the route for this case, and cancels the work.
  void answer_is_late();
  /// Says that the server is overloaded, and takes the request back. Returns false if its actor has begun by now.
  bool take_back();
  /// Cancels the work and lets go of it; there is nobody to answer.
  void connection_is_lost();
  /// Returns whether there is room to read ahead, which is also how the leave of the client is seen.
  bool may_read_ahead() const noexcept;
  /// Looks whether the client is still there, also past what it has sent and there is no room for. One that has only ended its
  /// sending looks like one that left: as in Go the work is cancelled, but what has an answer all the same sends it. While its
  /// handler has something of its body to read it has not left.
  void look_for_client();
  /// Until when the request under way may go on as it is; what is late then is seen to by something_is_late().
  time_point answer_deadline() noexcept;
  void something_is_late();

  // -- its body, when that is read as it comes ------------------------------------------------------------
  /// Hands on what has come, as far as there is room.
  void feed();
  /// Returns the pipe if more would come but for its lack of room, else null.
  detail::body_pipe* full_pipe() noexcept;

  // -- its answer, when that goes on behind its head ------------------------------------------------------
  /// Puts the head behind the earlier answers.
  void take_head();
  bool head_taken() const noexcept { return head_taken_; }
  bool upgrades() noexcept { return head_taken_ && answering_->answer().status() == 101; }
  /// Puts what was written of the body behind it, up to what may wait to be sent. Returns false if there is nothing more by now.
  bool pump();
  /// Returns the pipe if there is room for what comes next, else null.
  detail::body_pipe* empty_pipe() noexcept;
  /// Ends the body, or else the connection, since the actor that wrote it has ended.
  void end_body();
  /// Cancels what would never end by itself, if the server stops.
  void end_feed();
  /// Returns the context whose end end_feed() has to be called at; null if it need not be.
  greenroom::detail::context_node* feed_ends_with() noexcept;
  /// Gives the connection to the request actor; it is not read or written here any more.
  void hand_over();
  void upgrade_has_ended();

  // -- output -------------------------------------------------------------------------------------------
  bool has_output() const noexcept { return sent_ < out_.size(); }
  /// Writes what the client takes now; false when it takes no more, or is gone.
  bool write();
  /// Until when the client has to take something. Requires: write() has returned false.
  time_point output_deadline() const noexcept { return output_deadline_; }
  void output_is_late() noexcept { broken_ = true; }

  bool broken() const noexcept { return broken_; }
  /// Returns whether the client may send what will not be read: closing at once would make its system drop our last answer.
  bool must_linger() const noexcept { return linger_ && !broken_ && !ended_; }
  /// Reads and forgets; false when nothing more will come.
  bool read_on();

  stream& io() noexcept { return *io_; }
  const http::limits& limits() const noexcept { return server_.options.limits; }
  time_point now() const noexcept { return server_.system.now(); }
  server_core& server() noexcept { return server_; }

private:
  friend class server_core;

  // More than this is not read while a request is answered, nor answered while the client takes nothing: back-pressure. Units: bytes.
  static constexpr std::size_t most_read_ahead = 65'536;
  static constexpr std::size_t most_output = 65'536;
  // How often the client of a request under way is looked for where nothing would tell of it.
  static constexpr auto look_interval = std::chrono::milliseconds(250);
  static double seconds_of(std::chrono::milliseconds t) noexcept { return static_cast<double>(t.count()) / 1000; }

  step take_input();
  void keep_input();
  void parse() { input_.remove_prefix(parser_.parse(input_)); }
  void admit();
  void begin();
  void begin_reading();
  void start(request r, std::shared_ptr<detail::body_pipe> body);
  bool tells_of_answers() const noexcept;
  void note_request(const detail::request_data& data);
  void note_answer(const response& r, std::uint64_t body, bool cut_off = false);
  void note_left();
  void refuse_overload();
  void refuse_body(int status, std::string reason);
  bool body_is_coming() const noexcept;
  bool body_is_unread() const noexcept { return body_is_coming() || body_left_; }
  bool body_is_to_be_read() noexcept;
  /// Cancels the work; the answer is still waited for.
  void client_has_left();
  bool ends_with_server() noexcept;
  void note_progress(std::size_t taken) noexcept;
  void refuse(int status, std::string reason);
  void answer(const response& r, answer_form form, bool goes_on = false);
  bool is_cut_off() const noexcept;
  void note_cut_off() noexcept;

  server_core& server_;
  lane& lane_;
  const std::shared_ptr<stream> io_; // shared with the actor of an upgrade
  const std::string& peer_;          // its peer(), which takes longer to write than a request to read
  connection* prev_ = nullptr;       // guarded by lane_.lock, as is the following
  connection* next_ = nullptr;

  request_parser parser_;
  std::string_view
      input_; // read, but not yet parsed; in pending_, or between read() and advance() in the worker's buffer
  std::string pending_;
  greenroom::detail::pooled_string out_; // answered, but not yet sent
  std::size_t sent_ = 0;                 // of out_
  time_point input_deadline_ = never;
  time_point output_deadline_ = never;
  time_point slow_since_ = never; // when the client first took less than there was; it has taken so many bytes since:
  std::uint64_t taken_slowly_ = 0;
  held_exchange answering_;
  struct noted {
    std::string target;
    http::method method;
    time_point since;

    static void* operator new(std::size_t bytes) { return greenroom::detail::frame_allocate(bytes); }
    static void operator delete(void* p, std::size_t bytes) noexcept { greenroom::detail::frame_free(p, bytes); }
  };
  std::unique_ptr<noted> noted_;      // of the request under way, if somebody wants to know
  const route* route_ = nullptr;      // of the request that is being read
  std::unique_ptr<response> instead_; // its answer if there is no route
  answer_form form_;                  // of the request that is being answered
  bool owes_continue_ = false;        // the client waits for 100, and its handler has not asked for the body
  // Bits, as an idle connection is little more than this object; the one above is not, since it is passed on by reference.
  bool body_taken_ : 1 = false; // of a request whose handler reads it: to its end, or as far as it was wanted
  bool body_left_ : 1 = false;  // and the handler did not want the rest
  bool body_full_ : 1 = false;  // its pipe was, when it was last looked at
  bool head_taken_ : 1 = false; // of an answer that goes on
  bool ended_ : 1 = false;      // the client sends no more
  bool left_ : 1 = false;       // and so its request was cancelled
  bool broken_ : 1 = false;     // nothing reaches the client any more
  bool closing_ : 1 = false;    // no further request is taken
  bool linger_ : 1 = false;     // the last answer may still be on its way
};

} // namespace greenroom::http::internal

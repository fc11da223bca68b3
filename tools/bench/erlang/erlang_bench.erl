%% erl -noshell +S N:N +P 2000000 -run erlang_bench main NAME [ITEMS]: the workloads of greenroom_bench in Erlang/OTP
%% and its own way: processes with unbounded mailboxes, gen_server calls. Prints one JSON line. tools/bench/compare
%% compiles and runs it where Erlang is installed.
-module(erlang_bench).
-behaviour(gen_server).
-export([main/1, init/1, handle_call/3, handle_cast/2]).

main([Name]) -> main([Name, "0"]);
main([Name, Items]) ->
    {Default, Unit, Run} = workload(Name),
    N = case list_to_integer(Items) of
            0 -> Default;
            Given when Unit =:= 0 -> power_of_ten(Given, 10);
            Given -> max(Given div Unit, 1) * Unit
        end,
    Main = self(),
    %% A process of its own with a roomy heap, as the main process of a program has after a while.
    spawn_opt(fun() -> Main ! {result, Run(N)} end, [{min_heap_size, 10000}]),
    {Begin, End, Check, Bytes} = receive {result, Result} -> Result end,
    {{Cpu0, Switches0}, Time0} = Begin,
    {Time1, {Cpu1, Switches1}} = End,
    Seconds = erlang:convert_time_unit(Time1 - Time0, native, nanosecond) / 1.0e9,
    io:format("{\"bench\":\"~s\",\"lang\":\"erlang\",\"threads\":~b,\"n\":~b,\"seconds\":~.9f,\"cpu_seconds\":~.6f,"
              "\"bytes_each\":~.1f,\"check\":~b,\"context_switches\":~b}~n",
              [Name, erlang:system_info(schedulers_online), N, Seconds, Cpu1 - Cpu0, float(Bytes), Check,
               Switches1 - Switches0]),
    erlang:halt(0, [{flush, true}]).

power_of_ten(N, Power) when Power * 10 =< N -> power_of_ten(N, Power * 10);
power_of_ten(_, Power) -> Power.

%% {default number of items, its unit (0: a power of ten), what to run}
workload("spawn") -> {1000000, 1, fun spawn_and_end/1};
workload("idle_mem") -> {1000000, 1, fun idle_memory/1};
workload("pingpong") -> {2000000, 2, fun pingpong/1};
workload("ring") -> {5000000, 1, fun ring/1};
workload("fanin") -> {5000000, 8, fun fanin/1};
workload("pool") -> {2000000, 1, fun pool/1};
workload("counter") -> {1000000, 1000, fun counter/1};
workload("select") -> {2000000, 4, fun select_of_four/1};
workload("timers") -> {1000000, 1, fun timers/1};
workload("skynet") -> {1000000, 0, fun skynet/1};
workload("rpc") -> {500000, 1, fun(N) -> rpc(N, 1) end};
workload("rpc64") -> {500000, 64, fun(N) -> rpc(N, 64) end};
workload(Other) ->
    io:format(standard_error, "erlang_bench: there is no bench ~s~n", [Other]),
    erlang:halt(2).

%% -- measuring ---------------------------------------------------------------------------------

%% The counts of context switches stand with each thread; the CPU time, in ticks of 10 ms, with the process.
counters() ->
    {ok, Stat} = file:read_file("/proc/self/stat"),
    [_, Rest] = binary:split(Stat, <<") ">>, []),
    Fields = string:lexemes(binary_to_list(Rest), " "),
    Ticks = list_to_integer(lists:nth(12, Fields)) + list_to_integer(lists:nth(13, Fields)),
    Switches = lists:sum([switches(Task) || Task <- filelib:wildcard("/proc/self/task/*/status")]),
    {Ticks / 100, Switches}.

%% The counters take long to read, so the times are taken next to the work.
start() ->
    Counters = counters(),
    {Counters, erlang:monotonic_time()}.
stop() ->
    Time = erlang:monotonic_time(),
    {Time, counters()}.

switches(File) ->
    {ok, Status} = file:read_file(File),
    Lines = binary:split(Status, <<"\n">>, [global]),
    lists:sum([binary_to_integer(lists:last(string:lexemes(Line, " \t")))
               || Line <- Lines, binary:match(Line, <<"ctxt_switches">>) =/= nomatch]).

resident_bytes() ->
    {ok, Statm} = file:read_file("/proc/self/statm"),
    list_to_integer(lists:nth(2, string:lexemes(binary_to_list(Statm), " "))) * 4096.

measured(Work) ->
    Begin = start(),
    Check = Work(),
    {Begin, stop(), Check, 0}.

repeat(0, _) -> ok;
repeat(N, Do) -> Do(), repeat(N - 1, Do).

%% -- processes ---------------------------------------------------------------------------------

spawn_and_end(N) ->
    Count = atomics:new(1, []),
    Main = self(),
    Child = fun() ->
                case atomics:add_get(Count, 1, 1) of
                    N -> Main ! all_ended;
                    _ -> ok
                end
            end,
    measured(fun() ->
        repeat(N, fun() -> spawn(Child) end),
        receive all_ended -> N end
    end).

idle_memory(N) ->
    Count = atomics:new(1, []),
    Main = self(),
    Child = fun() ->
                case atomics:add_get(Count, 1, 1) of
                    N -> Main ! all_wait;
                    _ -> ok
                end,
                receive stop -> ok end
            end,
    erlang:garbage_collect(),
    Before = resident_bytes(),
    {Begin, End, Check, _} = measured(fun() ->
        repeat(N, fun() -> spawn(Child) end),
        receive all_wait -> N end
    end),
    {Begin, End, Check, (resident_bytes() - Before) / N}.

skynet(N) ->
    Main = self(),
    measured(fun() ->
        spawn(fun() -> skynet_node(Main, 0, N) end),
        receive Sum -> Sum end
    end).

skynet_node(Parent, First, 1) -> Parent ! First;
skynet_node(Parent, First, Leaves) ->
    Me = self(),
    Part = Leaves div 10,
    [spawn(fun() -> skynet_node(Me, First + Child * Part, Part) end) || Child <- lists:seq(0, 9)],
    Parent ! sum(10, 0).

%% -- messages ----------------------------------------------------------------------------------

sum(0, Sum) -> Sum;
sum(N, Sum) -> receive Value when is_integer(Value) -> sum(N - 1, Sum + Value) end.

send_numbers(_, N, N) -> ok;
send_numbers(To, I, N) -> To ! I, send_numbers(To, I + 1, N).

pingpong(N) ->
    Other = spawn(fun answer/0),
    measured(fun() -> ask_in_turns(Other, 0, N) end).

answer() -> receive {From, Turn} -> From ! Turn + 1, answer() end.

ask_in_turns(_, N, N) -> N;
ask_in_turns(Other, Turn, N) ->
    Other ! {self(), Turn + 1},
    receive Answer -> ask_in_turns(Other, Answer, N) end.

ring(N) ->
    Main = self(),
    First = spawn(fun() -> receive {next, Next} -> pass_on(Next, Main, N) end end),
    Last = lists:foldl(fun(_, Next) -> spawn(fun() -> pass_on(Next, Main, N) end) end, First, lists:seq(2, 10000)),
    First ! {next, Last},
    measured(fun() ->
        First ! 0,
        receive Hops -> Hops end
    end).

pass_on(Next, Main, N) ->
    receive
        N -> Main ! N;
        Hop -> Next ! Hop + 1, pass_on(Next, Main, N)
    end.

fanin(N) ->
    Main = self(),
    measured(fun() ->
        repeat(8, fun() -> spawn(fun() -> send_numbers(Main, 0, N div 8) end) end),
        sum(N, 0)
    end).

%% Jobs are pushed in turn, since a mailbox has one reader here.
pool(N) ->
    Main = self(),
    measured(fun() ->
        Workers = list_to_tuple([spawn(fun() -> work_off(Main) end) || _ <- lists:seq(1, 8)]),
        spawn(fun() -> push_jobs(Workers, 0, N) end),
        sum(N, 0)
    end).

push_jobs(_, N, N) -> ok;
push_jobs(Workers, Job, N) -> element(Job rem 8 + 1, Workers) ! Job, push_jobs(Workers, Job + 1, N).

work_off(To) -> receive Job -> To ! (((Job * 2654435761) bsr 16) band 16#ff), work_off(To) end.

counter(N) ->
    Main = self(),
    measured(fun() ->
        repeat(1000, fun() -> spawn(fun() -> repeat(N div 1000, fun() -> Main ! 1 end) end) end),
        sum(N, 0)
    end).

select_of_four(N) ->
    Main = self(),
    measured(fun() ->
        [spawn(fun() -> send_tagged(Main, Tag, 0, N div 4) end) || Tag <- [a, b, c, d]],
        sum_tagged(N, 0)
    end).

send_tagged(_, _, N, N) -> ok;
send_tagged(To, Tag, I, N) -> To ! {Tag, I}, send_tagged(To, Tag, I + 1, N).

sum_tagged(0, Sum) -> Sum;
sum_tagged(N, Sum) ->
    receive
        {a, Value} -> sum_tagged(N - 1, Sum + Value);
        {b, Value} -> sum_tagged(N - 1, Sum + Value);
        {c, Value} -> sum_tagged(N - 1, Sum + Value);
        {d, Value} -> sum_tagged(N - 1, Sum + Value)
    end.

%% -- deadlines ---------------------------------------------------------------------------------

timers(N) ->
    Main = self(),
    erlang:garbage_collect(),
    Before = resident_bytes(),
    Begin = start(),
    Pending = [erlang:send_after(3600000, Main, late) || _ <- lists:seq(1, N)],
    Grown = resident_bytes() - Before,
    [erlang:cancel_timer(Timer, [{async, true}, {info, false}]) || Timer <- Pending],
    {Begin, stop(), length(Pending), Grown / N}.

rpc(N, Clients) ->
    {ok, Server} = gen_server:start_link(?MODULE, [], []),
    Main = self(),
    Client = fun() -> Main ! sum_of_calls(Server, N div Clients, 0) end,
    measured(fun() ->
        repeat(Clients, fun() -> spawn(Client) end),
        sum(Clients, 0)
    end).

sum_of_calls(_, 0, Sum) -> Sum;
sum_of_calls(Server, Question, Sum) ->
    sum_of_calls(Server, Question - 1, Sum + gen_server:call(Server, Question, 1000)).

init([]) -> {ok, none}.
handle_call(Question, _, State) -> {reply, Question + 1, State}.
handle_cast(_, State) -> {noreply, State}.

#include "start_page.hpp"

#include <string>
#include <string_view>

#include "answers.hpp"

using namespace greenroom;

namespace {

// @URL@ stands for the server's address.
constexpr std::string_view page = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Greenroom: the example server</title>
<style>
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --green: #1a7f4b; }
@media (prefers-color-scheme: dark) { :root { --green: #4cc38a; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h1 b { color: var(--green); }
article { border-top: 1px solid var(--line); padding: .8rem 0; }
h2 { font: 600 1rem ui-monospace, monospace; margin: 0; } p { margin: .3rem 0; }
.command { display: flex; gap: .5rem; align-items: center; margin: .4rem 0; }
code { font: .9rem ui-monospace, monospace; background: var(--soft); border-radius: .3rem; padding: .3rem .5rem; flex: 1; overflow-x: auto; white-space: pre; }
button { font: inherit; font-size: .85rem; border: 1px solid var(--line); border-radius: .3rem; background: none; color: inherit; padding: .2rem .7rem; cursor: pointer; }
button:hover { border-color: var(--green); }
pre { font: .85rem/1.4 ui-monospace, monospace; border-left: 3px solid var(--green); margin: .4rem 0; padding: .2rem .6rem; white-space: pre-wrap; overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1><b>Greenroom</b>: the example server</h1>
<p>Each request to this server is answered by an actor of its own, under a deadline. When its time is over, or its client leaves, the
actor is cancelled and nothing of it stays. Copy a command into a terminal, or press Try.</p>

<article><h2>GET /hello</h2>
<p>The shortest answer: 13 bytes.</p>
<div class="command"><code>curl @URL@/hello</code></div></article>

<article><h2>POST /echo</h2>
<p>Gives back what it gets, up to 1 MiB.</p>
<div class="command"><code>curl -d 'some text' @URL@/echo</code></div></article>

<article><h2>GET /task?ms=N</h2>
<p>Works for N milliseconds (3,000 if not given) under a limit of two seconds. In time it says so; too late, the client gets
<em>408 Request canceled: context deadline exceeded</em> after two seconds, and the work has ended. (After 408 a browser may ask again by itself, so Try can take longer.)</p>
<div class="command"><code>curl -i '@URL@/task?ms=100'</code></div>
<div class="command"><code>curl -i '@URL@/task?ms=5000'</code></div></article>

<article><h2>POST /accounts, POST /transfers, GET /accounts/NAME</h2>
<p>A bank: double entry, in whole cents, on disk before it answers (start the server with <em>--ledger FILE</em>). Each order has a key of your choice: sent again it is carried out once.
Also <em>/holds</em>, <em>/captures</em>, <em>/releases</em>, <em>/reversals</em>, <em>/accounts/NAME/statement</em> and <em>/totals</em>.</p>
<div class="command"><code>curl -H 'Content-Type: application/json' -d '{"key":"1","account":"world","currency":"EUR","may_be_negative":true}' @URL@/accounts</code></div>
<div class="command"><code>curl -H 'Content-Type: application/json' -d '{"key":"2","account":"ann","currency":"EUR"}' @URL@/accounts</code></div>
<div class="command"><code>curl -H 'Content-Type: application/json' -d '{"key":"3","from":"world","to":"ann","amount":1999}' @URL@/transfers</code></div>
<div class="command"><code>curl @URL@/accounts/ann/statement</code></div></article>

<article><h2>GET /quotes?symbol=S&amp;how=W&amp;ms=N&amp;least=N</h2>
<p>Asks five services at once, of which one is slow and one is broken, and answers by the deadline of N milliseconds (300): <em>within</em> gives what has come by then, <em>first</em> the
first price, <em>quorum</em> the first <em>least</em> prices (3), <em>all</em> all of them or none. What is not waited for is cancelled. After some calls a circuit breaker leaves the broken one alone.</p>
<div class="command"><code>curl '@URL@/quotes?symbol=ACME'</code></div>
<div class="command"><code>curl '@URL@/quotes?how=first'</code></div>
<div class="command"><code>curl '@URL@/quotes?how=quorum&amp;least=3'</code></div>
<div class="command"><code>curl -i '@URL@/quotes?how=all&amp;ms=200'</code></div></article>
<article><h2>POST /process, GET /process/ID, GET /process/ID/events, DELETE /process/ID</h2>
<p>Work on much data, in chunks on all processors: statistics for each key of the lines <em>key,amount</em> that you send, or of made-up ones, up to 10<sup>9</sup>
bytes. It answers 202 at once with the job's address; look at it, follow its progress as server-sent events, or cancel it.</p>
<div class="command"><code>curl -i -d '' '@URL@/process?bytes=500000000'</code></div>
<div class="command"><code>curl -N @URL@/process/1/events</code></div>
<div class="command"><code>curl @URL@/process/1</code></div>
<div class="command"><code>curl -X DELETE @URL@/process/1</code></div>
<div class="command"><code>curl -d 'ann,12.50' @URL@/process</code></div></article>
<article><h2>GET /jobs, GET /jobs/NAME, POST /jobs/NAME/run, /pause, /resume, /cancel</h2>
<p>Jobs on schedules: every so often without drift, or by a calendar. <em>beat</em> is quick, <em>print-labels</em> always fails, <em>tidy-up</em> takes five seconds: run it twice, and
the second run replaces the first. With <em>--jobs FILE</em> they survive a restart, with their pauses and histories.</p>
<div class="command"><code>curl @URL@/jobs</code></div>
<div class="command"><code>curl @URL@/jobs/tidy-up</code></div>
<div class="command"><code>curl -X POST @URL@/jobs/tidy-up/run</code></div>
<div class="command"><code>curl -X POST @URL@/jobs/beat/pause</code></div>
<div class="command"><code>curl -X POST @URL@/jobs/beat/resume</code></div></article>

<article><h2>GET /status</h2>
<p>What happens right now: requests in flight (this one not counted), connections, how requests have ended, and under <em>leaks</em> what lives
although no request or connection accounts for it: nothing, at rest. Try it while a task runs, or after you have interrupted one.</p>
<div class="command"><code>curl @URL@/status</code></div></article>

<article><h2>GET /metrics</h2>
<p>The same for Prometheus.</p>
<div class="command"><code>curl @URL@/metrics</code></div></article>

<article><h2>POST /orders, POST /refunds, GET /shop</h2>
<p>A service as a graph of actors: orders are numbered, validated, priced, booked by customer, audited, shipped. Start the server with
<em>--crash-every 10ms</em> and its actors are killed at random while it works: each is started anew, and no item goes missing unnoticed.</p>
<div class="command"><code>curl -X POST '@URL@/orders?customer=7&amp;pieces=2&amp;times=1000'</code></div>
<div class="command"><code>curl -X POST '@URL@/refunds?customer=7&amp;cents=100'</code></div>
<div class="command"><code>curl @URL@/shop</code></div></article>

<article><h2>GET /graph, GET /graph.json, GET /graph.dot, GET /graph.mmd</h2>
<p>That graph at work: <a href="/graph">look at it live</a>, with what its actors do, what waits on its edges, and who holds up whom. Or as JSON,
for Graphviz, for Mermaid. <em>--graph-page false</em> leaves it out.</p>
<div class="command"><code>curl @URL@/graph.json</code></div>
<div class="command"><code>curl @URL@/graph.dot | dot -Tsvg > shop.svg</code></div>
<div class="command"><code>curl @URL@/graph.mmd</code></div></article>

<article><h2>GET /debug/deadlocks</h2>
<p>Actors that wait for each other, so that none of them will ever go on: who, for what, since when, and whom each waits for. There should be none.
The log says it, too, within a second.</p>
<div class="command"><code>curl @URL@/debug/deadlocks</code></div></article>

<article><h2>GET /debug/flight?actor=N</h2>
<p>What the actors did last, as JSON: who took which items, who was spawned, who ended, what was logged. Of one actor, with what it waits for now, if you
give its number; as text for <em>Accept: text/plain</em>.</p>
<div class="command"><code>curl @URL@/debug/flight</code></div>
<div class="command"><code>curl -H 'Accept: text/plain' '@URL@/debug/flight?actor=1'</code></div></article>

<article><h2>GET /healthz, GET /readyz</h2>
<p>For whoever runs this service: it lives; it takes requests (no longer, once it is stopping).</p>
<div class="command"><code>curl @URL@/healthz</code></div>
<div class="command"><code>curl @URL@/readyz</code></div></article>

<article><h2>Ctrl-C</h2>
<p>In the terminal of the server: it takes in no more connections, finishes every request it has begun, and ends.</p></article>

<script>
for (const line of document.querySelectorAll('.command')) {
  const command = line.querySelector('code').textContent;
  const address = new URL(command.match(/http[^' ]+/)[0]);
  const sent = command.match(/-d '(.*?)'/);
  const headers = [...command.matchAll(/-H '(.*?): (.*?)'/g)].map(field => [field[1], field[2]]);
  const verb = command.match(/-X ([A-Z]+)/);
  const button = (label, action) => {
    const b = document.createElement('button');
    b.textContent = label;
    b.onclick = () => action(b);
    line.append(b);
  };
  if (navigator.clipboard) button('Copy', b => navigator.clipboard.writeText(command).then(() => { b.textContent = 'Copied'; }));
  const shown = document.createElement('pre');
  button('Try', async b => {
    b.disabled = true;
    line.after(shown);
    shown.textContent = '…';
    const begun = performance.now();
    try {
      const answer = await fetch(address.pathname + address.search, sent ? { method: 'POST', headers, body: sent[1] } : { method: verb ? verb[1] : 'GET', headers });
      const body = await answer.text();
      const seconds = ((performance.now() - begun) / 1000).toFixed(3);
      shown.textContent = answer.status + ' after ' + seconds + ' s\n' + body.trimEnd();
    } catch (problem) {
      shown.textContent = 'no answer: ' + problem.message;
    }
    b.disabled = false;
  });
}
</script>
</body>
</html>
)html";

std::string filled(std::string_view text, std::string_view url) {
  constexpr std::string_view mark = "@URL@";
  std::string out;
  for (auto at = text.find(mark); at != text.npos; at = text.find(mark)) {
    out.append(text.substr(0, at)).append(url);
    text.remove_prefix(at + mark.size());
  }
  return out.append(text);
}

} // namespace

http::response start_page(http::request r, const http::server* front) {
  const bool browser = r.header("Accept").value_or("").find("text/html") != std::string_view::npos;
  auto answer = browser ? http::html(filled(page, front->url())) : hello();
  answer.header("Vary", "Accept");
  return answer;
}

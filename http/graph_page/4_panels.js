// The tree of supervisors, and the panel of one node. Both are lists of text: they are made anew and then only their differences applied.

/// h('p.soft', 'text', child, ...): an element with its class.
function h(kind, ...children) {
  const [name, ...classes] = kind.split('.');
  const made = document.createElement(name || 'div');
  if (classes.length) made.className = classes.join(' ');
  made.append(...children.filter(child => child !== null && child !== undefined && child !== ''));
  return made;
}

/// Makes `old` what `wanted` is, and leaves alone what does not differ: marked text and open places stay.
function become(old, wanted) {
  const before = [...old.childNodes], after = [...wanted.childNodes];
  after.forEach((next, i) => {
    const there = before[i];
    if (!there) old.append(next);
    else if (there.nodeName !== next.nodeName) there.replaceWith(next);
    else if (next.nodeType === Node.TEXT_NODE) { if (there.data !== next.data) there.data = next.data; }
    else {
      if (there.className !== next.className) there.className = next.className;
      if (there.style.width !== next.style.width) there.style.width = next.style.width;
      become(there, next);
    }
  });
  before.slice(after.length).forEach(gone => gone.remove());
}

const tree = {
  element: byId('tree'), buttons: [],

  draw(look, choose) {
    const children = look.supervisors.map(() => h('ul'));
    this.buttons = [];
    look.supervisors.forEach((one, s) => {
      const item = h('li', h('div.super', h('b', one.name), h('small', one.strategy.replaceAll('_', ' ')), h('small', `${one.most_restarts} restarts in ${msText(one.period_ms)}`)), children[s]);
      if (one.parent === undefined) this.element.replaceChildren(h('ul', item));
      else children[one.parent].append(item);
    });
    look.nodes.forEach((node, n) => {
      const mark = h('i.mark'), restarts = h('small'), button = h('button', mark, h('span', node.name + (node.replicas > 1 ? ' ×' + node.replicas : '')), restarts);
      button.tabIndex = this.buttons.length ? -1 : 0;
      button.onclick = () => choose(n);
      this.buttons.push({ button, mark, restarts, node: n });
      const list = children[node.supervisor];
      list.insertBefore(h('li', button), list.querySelector(':scope > li > .super')?.parentElement || null); // groups come last
    });
    this.element.onkeydown = event => this.key(event);
  },

  show(look, chosen, hits) {
    for (const { button, mark, restarts, node: n } of this.buttons) {
      const node = look.nodes[n];
      put(mark, 'class', `mark ${node.state}${placeMark(node)}${node.knot ? ' knot' : ''}`);
      put(restarts, 'text', node.restarts ? '↻ ' + shortNumber(node.restarts) : '');
      put(button, 'class', (chosen === n ? 'chosen' : '') + (hits && !hits.has(n) ? ' dim' : ''));
      put(button, 'title', doingText(node));
    }
  },

  /// One stop for the tab key; arrows go on from there.
  key(event) {
    const shown = this.buttons.filter(one => !one.button.classList.contains('dim')).map(one => one.button)
      .sort((a, b) => a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1);
    const here = shown.indexOf(document.activeElement);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (here < 0 || to === undefined || !shown[to]) return;
    event.preventDefault();
    event.stopPropagation();
    shown[here].tabIndex = -1;
    shown[to].tabIndex = 0;
    shown[to].focus();
  },
};

const panel = {
  element: byId('panel'), body: byId('panel-body'),

  show(look, n, detail) {
    const node = look.nodes[n], figures = figuresOf(n);
    byId('panel-title').textContent = node.name;
    const parts = [
      h('p.state', h('i.mark.' + node.state + (node.knot ? '.knot' : '')), doingText(node) + sinceText(foremost(node))),
      h('dl.facts', fact('Rate', rateText(figures.rate)), fact('Mean handling', spanText(figures.mean)),
        fact('Busy', figures.busy === null ? '–' : Math.round(figures.busy * 100) + ' %'), fact('Restarts', String(node.restarts))),
    ];
    if (node.knot) parts.push(h('h3', 'Knot ' + node.knot), knotCard(look, node.knot));
    const failures = [...new Set(node.actors.map(actor => actor.last_failure).filter(text => text))];
    if (failures.length) parts.push(h('h3', 'Last failure'), ...failures.map(text => h('pre', text)));
    if (node.inputs.length) parts.push(h('h3', node.elsewhere ? 'What waits here to cross' : 'Inputs'), ...node.inputs.map(inputCard));
    if (node.elsewhere) parts.push(h('h3', 'Runs on'), placeCard(node.runsOn));
    else parts.push(h('h3', node.actors.length === 1 ? 'Actor' : 'Actors'), ...node.actors.map(actorCard));
    for (const flight of detail ? detail.flights : []) parts.push(...flightParts(flight, detail.flights.length > 1));
    parts.push(h('h3', 'Declared at'), h('p.soft', node.declared_at));
    become(this.body, h('div', ...parts));
  },
};

const placeCard = place => h('div.card' + (place.trouble || place.state === 'down' ? '.trouble' : ''),
  h('div.row', h('b', place.name), h('span', place.state)), h('p.soft', place.address || 'no address: it connects by itself'), place.trouble ? h('p', place.trouble) : null);
const fact = (name, value) => h('div', h('dt', name), h('dd', value));
const plain = type => type.replaceAll('(anonymous namespace)::', '');
const sinceText = actor => actor && actor.since_ms ? ' for ' + msText(actor.since_ms) : '';

/// What the flight recorder has of an actor: what it took, and what it logged. The newest comes first.
function flightParts(flight, several) {
  const line = event => msText(flight.now_ms - event.at_ms).padStart(8) + ' ago  ' + eventText(event);
  const newest = [...flight.events].reverse(), lines = newest.filter(event => event.what === 'logged'), others = newest.filter(event => event.what !== 'logged');
  const title = text => h('h3', several && flight.actor ? `${text} of actor ${flight.actor.id}` : text);
  return [...others.length ? [title('Last events'), h('pre', others.map(line).join('\n'))] : [],
          ...lines.length ? [title('Log'), h('pre', lines.map(line).join('\n'))] : []];
}
function eventText(event) {
  const more = event.text ? ' ' + event.text : '';
  if (event.what === 'took') return `took ${event.times > 1 ? event.times + ' × ' : ''}${plain(event.type)}${more}`;
  return event.what === 'logged' ? `${event.level}: ${event.text}` : event.what + more;
}

function gauge(input) {
  const bar = h('i.f' + fillOf(input));
  const share = input.capacity ? input.queued / input.capacity : input.queued || input.blocked_senders ? 1 : 0;
  bar.style.width = (Math.min(1, share) * 100).toFixed(1) + '%';
  return h('div.gauge', bar);
}

function inputCard(input) {
  const room = input.capacity === undefined ? 'unbounded' : 'of ' + input.capacity;
  const counted = (name, count, bad) => count || !bad ? h('div' + (bad ? '.warn' : ''), h('span', name + ' '), String(count)) : null;
  return h('div.card',
    h('div.row', h('b', plain(input.type)), h('span', `${input.queued} ${room}`)), gauge(input),
    h('p.soft', input.limits + (input.closed ? ', closed' : '')),
    h('div.counts',
      counted('oldest', input.oldest_ms === undefined ? '–' : msText(input.oldest_ms)), counted('in hand', input.in_hand), h('div' + (input.blocked_senders ? '.warn' : ''), h('span', 'blocked '), String(input.blocked_senders)),
      counted('accepted', input.accepted), counted('handled', input.handled), counted('failed', input.failed, true),
      counted('overflowed', input.overflowed, true), counted('expired', input.expired, true), counted('discarded', input.discarded, true),
      counted('undelivered', input.undelivered, true), input.redelivered ? counted('redelivered', input.redelivered) : null));
}

const actorCard = actor => h('div.card' + (actor.knot ? '.trouble' : ''),
  h('div.row', h('b', actor.id ? 'actor ' + actor.id : 'no actor yet'), h('span.soft', actor.restarts ? '↻ ' + actor.restarts : '')),
  h('p', actor.doing + sinceText(actor)));

/// Says who waits for whom.
function knotCard(look, number) {
  const knot = look.knots[number - 1], names = new Map(knot.actors.map(actor => [actor.id, actor.name]));
  const lines = knot.actors.map(actor => h('p', h('b', actor.name), ` has waited ${msText(actor.waits_ms)} ${actor.waits_for}`,
    actor.held_up_by.length ? ', held up by ' + actor.held_up_by.map(id => names.get(id) || 'actor ' + id).join(', ') : ''));
  return h('div.card.trouble', ...lines, h('p.soft', knot.until_deadline ? 'A deadline will end it.' : 'Only a cancellation or a kill can end it.'));
}

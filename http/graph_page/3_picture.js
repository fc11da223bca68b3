// The drawing: made once for a graph; afterwards each look changes only what differs from the last.

const svgSpace = 'http://www.w3.org/2000/svg';
const byId = id => document.getElementById(id);

function shape(kind, attributes = {}, parent = null) {
  const made = document.createElementNS(svgSpace, kind);
  for (const name in attributes) made.setAttribute(name, attributes[name]);
  if (parent) parent.append(made);
  return made;
}

/// Writes to an element only what has changed.
function put(element, what, value) {
  const known = element.known ||= {};
  if (known[what] === value) return;
  known[what] = value;
  if (what === 'text') element.textContent = value;
  else element.setAttribute(what, value);
}

const measure = document.createElement('canvas').getContext('2d');
const fitted = new Map();
/// Shortens a text to what has room.
function fit(text, font, room) {
  const key = font + room + text;
  if (fitted.has(key)) return fitted.get(key);
  measure.font = font;
  let short = text;
  while (measure.measureText(short).width > room && short.length > 2) short = short.slice(0, -2).trimEnd() + '…';
  if (fitted.size > 20000) fitted.clear();
  fitted.set(key, short);
  return short;
}

const picture = {
  svg: byId('picture'), world: byId('world'), nodes: [], edges: [], spots: [], marker: 0,
  view: { x: 0, y: 0, scale: 1 }, chosen: -1, focused: 0, hits: null,

  /// Draws a graph anew.
  draw(look) {
    const { spots, routes } = layOut(look.nodes, look.edges);
    this.spots = spots;
    for (const id of ['edges', 'nodes', 'labels']) byId(id).replaceChildren();
    this.edges = look.edges.map((edge, e) => this.drawEdge(look, edge, routes[e]));
    this.nodes = look.nodes.map((node, n) => this.drawNode(look, node, n));
    const entries = new Map();
    for (const entry of look.entries) if (entry.name) entries.set(entry.to, [...(entries.get(entry.to) || []), entry.name]);
    for (const [to, names] of entries)
      shape('text', { class: 'entry', x: spots[to].x - halfWidth(look.nodes[to]) - 10, y: spots[to].y + 4 }, byId('labels')).textContent = names.join(', ') + ' →';
    this.neighbours = look.nodes.map(() => ({ left: [], right: [] }));
    for (const edge of look.edges) {
      this.neighbours[edge.from].right.push(edge.to);
      this.neighbours[edge.to].left.push(edge.from);
    }
    this.chosen = -1;
    this.focused = Math.max(0, spots.findIndex((spot, n) => spot.rank === 0 && !look.nodes[n].junction));
    this.nodes.forEach((node, n) => put(node.group, 'tabindex', n === this.focused ? 0 : -1));
    this.fit();
  },

  drawEdge(look, edge, inner) {
    const from = this.spots[edge.from], to = this.spots[edge.to];
    const start = { x: from.x + halfWidth(look.nodes[edge.from]), y: from.y }, end = { x: to.x - halfWidth(look.nodes[edge.to]) - 7, y: to.y };
    const back = edge.from === edge.to || from.x >= to.x;
    const points = [start, ...inner, end];
    const line = shape('path', { d: back ? backWay(start, end, inner) : curve(points), class: 'edge' }, byId('edges'));
    const head = shape('path', { d: `M${end.x + 8} ${end.y}l-9 -4.5v9z`, class: 'head' }, byId('edges'));
    // What is queued stands once, at the first edge that leads to the input.
    const first = look.edges.find(other => other.to === edge.to && other.input === edge.input && other.replica === edge.replica) === edge;
    if (!first || edge.dead_letters) return { line, head };
    const before = points[points.length - 2];
    // On both sides of a level line; else on the side from which it does not come.
    const rise = back ? 0 : before.y - end.y, [upper, lower] = Math.abs(rise) < 24 ? [-7, 16] : rise > 0 ? [-21, -8] : [17, 30];
    const text = y => shape('text', { class: 'load', x: end.x - box.gapX / 2 + 6, y: end.y + y }, byId('labels'));
    return { line, head, queue: text(upper), senders: text(lower) };
  },

  drawNode(look, node, n) {
    const spot = this.spots[n];
    const group = shape('g', { class: 'node', role: 'button', transform: `translate(${spot.x} ${spot.y})`, 'data-node': n }, byId('nodes'));
    const made = { group };
    if (node.junction) {
      shape('circle', { class: 'ring', r: box.junction / 2 + 3 }, group);
      shape('circle', { class: 'box', r: box.junction / 2 - 3 }, group);
      shape('circle', { class: 'dot', r: 3.5 }, group);
      shape('title', {}, group).textContent = node.name;
      return made;
    }
    const w = box.width, h = box.height;
    shape('rect', { class: 'ring', x: -w / 2 - 4, y: -h / 2 - 4, width: w + 8, height: h + 8, rx: 13 }, group);
    shape('rect', { class: 'box', x: -w / 2, y: -h / 2, width: w, height: h, rx: 10 }, group);
    shape('circle', { class: 'dot', cx: -w / 2 + 17, cy: -20, r: 5 }, group);
    const name = shape('text', { class: 'name', x: -w / 2 + 29, y: -15 }, group);
    made.nameFits = fit(node.name + (node.replicas > 1 ? ' ×' + node.replicas : ''), '600 14px system-ui, sans-serif', w - 70);
    name.textContent = made.nameFits;
    made.doing = shape('text', { class: 'doing', x: -w / 2 + 12, y: 5 }, group);
    made.figures = shape('text', { class: 'figures', x: -w / 2 + 12, y: 24 }, group);
    shape('rect', { class: 'track', x: -w / 2 + 12, y: h / 2 - 9, width: w - 24, height: 3, rx: 1.5 }, group);
    made.busy = shape('rect', { class: 'busy', x: -w / 2 + 12, y: h / 2 - 9, width: 0, height: 3, rx: 1.5 }, group);
    made.badge = shape('g', { visibility: 'hidden' }, group);
    shape('rect', { class: 'badge', x: w / 2 - 34, y: -h / 2 + 8, width: 26, height: 18, rx: 5 }, made.badge);
    made.badgeText = shape('text', { class: 'badge-text', x: w / 2 - 21, y: -h / 2 + 21 }, made.badge);
    made.title = shape('title', {}, group);
    put(made.title, 'text', node.name);
    return made;
  },

  /// Shows a look at the graph that was drawn.
  show(look) {
    look.nodes.forEach((node, n) => this.showNode(node, n));
    look.edges.forEach((edge, e) => {
      const { line, head, queue, senders } = this.edges[e], input = inputOf(look, edge);
      const knot = !edge.dead_letters && look.nodes[edge.from].knot && look.nodes[edge.from].knot === look.nodes[edge.to].knot;
      const dim = this.hits && !this.hits.has(edge.from) && !this.hits.has(edge.to) ? ' dim' : '';
      const fill = edge.dead_letters ? 'letters' : 'f' + fillOf(input);
      put(line, 'class', `edge ${fill}${edge.crosses ? ' crosses' : ''}${knot ? ' knot' : ''}${dim}`);
      put(head, 'class', `head ${fill}${knot ? ' knot' : ''}${dim}`);
      if (!queue) return;
      put(queue, 'class', 'load ' + fill);
      put(queue, 'text', queueText(input));
      put(senders, 'class', 'load ' + fill);
      put(senders, 'text', sendersText(input));
    });
  },

  showNode(node, n) {
    const made = this.nodes[n];
    const marks = (node.knot ? ' knot' : '') + (this.chosen === n ? ' chosen' : '') + (this.hits && !this.hits.has(n) ? ' dim' : '');
    put(made.group, 'class', `node ${node.state}${placeMark(node)}${marks}`);
    const figures = figuresOf(n), doing = doingText(node);
    put(made.group, 'aria-label', `${node.name}: ${doing}${node.knot ? ', in knot ' + node.knot : ''}, ${rateText(figures.rate)}${node.restarts ? `, ${node.restarts} restarts` : ''}`);
    if (!made.doing) return;
    const first = foremost(node);
    const since = first && first.since_ms >= 1000 && node.state !== 'idle' ? ' · ' + msText(first.since_ms) : '';
    const room = box.width - 22;
    put(made.doing, 'text', fit(shortDoing(doing) + since, '12.5px system-ui, sans-serif', room));
    const parts = [rateText(figures.rate)];
    if (node.inputs.length) parts.push(spanText(figures.mean));
    if (node.restarts) parts.push('↻ ' + shortNumber(node.restarts));
    put(made.figures, 'text', fit(parts.join(' · '), '12.5px system-ui, sans-serif', room));
    put(made.busy, 'width', ((figures.busy || 0) * (box.width - 24)).toFixed(1));
    put(made.title, 'text', `${node.name}: ${doing}${since}\n${rateText(figures.rate)} handled, ${spanText(figures.mean)} each in hand\n${node.restarts} restarts`);
    put(made.badge, 'visibility', node.knot ? 'visible' : 'hidden');
    if (node.knot) put(made.badgeText, 'text', 'K' + node.knot);
  },

  // -- where one looks -----------------------------------------------------------------------------------
  apply() {
    const { x, y, scale } = this.view;
    this.world.setAttribute('transform', `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${scale.toFixed(4)})`);
    put(this.svg, 'class', scale < .25 ? 'far dots' : scale < .42 ? 'far' : '');
  },
  fit() {
    const legend = byId('legend').getBoundingClientRect().height, { width } = this.svg.getBoundingClientRect();
    const height = this.svg.getBoundingClientRect().height - (legend ? legend + 10 : 0);
    if (!this.spots.length || !width) return;
    const xs = this.spots.map(s => s.x), ys = this.spots.map(s => s.y);
    const left = Math.min(...xs) - box.width / 2 - (byId('labels').querySelector('.entry') ? 64 : 24), right = Math.max(...xs) + box.width / 2 + 24;
    const top = Math.min(...ys) - box.height / 2 - 30, bottom = Math.max(...ys) + box.height / 2 + 36;
    const scale = Math.min(1.15, width / (right - left), height / (bottom - top));
    this.view = { scale, x: (width - (right + left) * scale) / 2, y: (height - (bottom + top) * scale) / 2 };
    this.apply();
  },
  zoom(factor, x, y) {
    const { width, height } = this.svg.getBoundingClientRect();
    const scale = Math.max(.03, Math.min(3, this.view.scale * factor));
    const px = x ?? width / 2, py = y ?? height / 2, change = scale / this.view.scale;
    this.view = { scale, x: px - (px - this.view.x) * change, y: py - (py - this.view.y) * change };
    this.apply();
  },
  pan(dx, dy) {
    this.view.x += dx;
    this.view.y += dy;
    this.apply();
  },
  /// Brings a node into view, and near enough to be read if asked to.
  reveal(n, near) {
    const { width, height } = this.svg.getBoundingClientRect(), spot = this.spots[n];
    if (near && this.view.scale < .7) this.view.scale = .9;
    const { scale } = this.view, x = spot.x * scale + this.view.x, y = spot.y * scale + this.view.y;
    const edgeX = Math.min(width / 3, box.width * scale / 2 + 20), edgeY = Math.min(height / 3, box.height * scale / 2 + 20);
    if (near || x < edgeX || x > width - edgeX) this.view.x = width / 2 - spot.x * scale;
    if (near || y < edgeY || y > height - edgeY) this.view.y = height / 2 - spot.y * scale;
    this.apply();
  },

  // -- the keyboard's place --------------------------------------------------------------------------------
  focus(n) {
    put(this.nodes[this.focused].group, 'tabindex', -1);
    this.focused = n;
    put(this.nodes[n].group, 'tabindex', 0);
    this.reveal(n, false);
    this.nodes[n].group.focus({ preventScroll: true });
  },
  /// Finds the neighbour in a direction: along an edge, or up and down within the rank.
  next(direction) {
    const here = this.spots[this.focused];
    const near = list => [...new Set(list)].filter(n => n !== this.focused)
      .sort((a, b) => Math.abs(this.spots[a].y - here.y) - Math.abs(this.spots[b].y - here.y))[0];
    if (direction === 'ArrowRight') return near(this.neighbours[this.focused].right);
    if (direction === 'ArrowLeft') return near(this.neighbours[this.focused].left);
    const sign = direction === 'ArrowDown' ? 1 : -1;
    return near([...this.spots.keys()].filter(n => this.spots[n].rank === here.rank && (this.spots[n].y - here.y) * sign > 0));
  },
};

const halfWidth = node => node.junction ? box.junction / 2 - 3 : box.width / 2;

/// A smooth line through all points, level at each.
function curve(points) {
  let d = `M${points[0].x} ${points[0].y.toFixed(1)}`;
  for (let i = 1; i < points.length; ++i) {
    const a = points[i - 1], b = points[i], bend = Math.max(18, (b.x - a.x) / 2);
    d += `C${(a.x + bend).toFixed(1)} ${a.y.toFixed(1)} ${(b.x - bend).toFixed(1)} ${b.y.toFixed(1)} ${b.x} ${b.y.toFixed(1)}`;
  }
  return d;
}

/// The way of an edge that leads back: out to the right, below all that it passes, and in from the left.
function backWay(start, end, inner) {
  const below = Math.max(start.y, end.y, ...inner.map(p => p.y)) + box.height / 2 + 22, out = box.gapX / 2;
  return `M${start.x} ${start.y}C${start.x + out} ${start.y} ${start.x + out} ${below} ${start.x} ${below}` +
    `L${end.x} ${below}C${end.x - 34} ${below} ${end.x - 34} ${end.y} ${end.x} ${end.y}`;
}

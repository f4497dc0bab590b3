# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet as one HTML page: self-contained, readable without JavaScript, and with nothing from elsewhere.

Every text of a provider or an inventory goes through html.escape, and links are those of the web alone. The page
forbids itself by its own policy to load anything, and to run any script but the one in this file.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import typing as t
from html import escape

from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Status
from ansible_collections.certops.issuance.plugins.plugin_utils._fleet import (
    MAX_SHOWN,
    Data,
    Entry,
    Level,
    Served,
    Todo,
    describe_end,
    make_entries,
)

#: So many names of a certificate are shown at once; the others behind a click.
_FIRST_NAMES = 2
#: The axis ends so late at most; no certificate is valid for longer.
_MAX_AHEAD = datetime.timedelta(days=400)
_MIN_AHEAD = datetime.timedelta(days=30)
#: Days, and months, between two ticks of the axis; the first that gives no more than so many is taken.
_DAYS, _MONTHS = (7, 14), (1, 2, 3, 4, 6)
_MAX_TICKS = 6

#: Level to its class in the style, and the sign beside its words: no level is shown by its color alone.
_LEVELS: t.Mapping[str, tuple[str, str]] = {
    Level.UNANSWERED: ("bad", "?"),
    Level.ENDED: ("bad", "✕"),
    Level.FAILED: ("bad", "✕"),
    Level.URGENT: ("bad", "!"),
    Level.YOURS: ("you", "→"),
    Level.DUE: ("due", "↻"),
    Level.PENDING: ("wait", "…"),
    Level.GOOD: ("good", "✓"),
    Level.ISSUED: ("wait", "✓"),
    Level.CLOSED: ("gone", "–"),
}
_SERVED = {
    "this": "serves this certificate",
    "another": "serves another certificate",
    "none": "serves no certificate",
    "unknown": "what it serves is not known",
}

_STYLE = """
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--text:#1b1f24;--soft:#57606a;--line:#d5dae0;--grid:#e8ebef;
--bad:#b42318;--bad-bg:#fdeceb;--due:#8a5a00;--due-bg:#fff4d6;--good:#1a6b3c;--good-bg:#e3f5ea;--you:#5b3cc4;
--you-bg:#eeeafd;--wait:#1f5fa8;--wait-bg:#e6f0fb;--gone:#57606a;--gone-bg:#eceff2;--link:#0b57b0}
@media (prefers-color-scheme:dark){:root{--page:#0f1317;--card:#181d23;--text:#e6eaee;--soft:#9aa5b1;--line:#323a44;
--grid:#262d35;--bad:#ff8a80;--bad-bg:#3a1a18;--due:#f2c14e;--due-bg:#352a10;--good:#6fd39a;--good-bg:#12301f;
--you:#b9a5ff;--you-bg:#261f45;--wait:#7db7f5;--wait-bg:#14283f;--gone:#9aa5b1;--gone-bg:#262d35;--link:#7db7f5}}
*{box-sizing:border-box}
body{margin:0;overflow-wrap:anywhere;background:var(--page);color:var(--text);font:15px/1.45 system-ui,-apple-system,
"Segoe UI",Roboto,"Liberation Sans",sans-serif}
main{max-width:1400px;margin:0 auto;padding:24px 28px 40px}
h1{font-size:24px;line-height:1.2;margin:0 0 4px}
p{margin:0}
.soft,small{color:var(--soft);font-size:13px}
a{color:var(--link)}
.sums{display:flex;flex-wrap:wrap;gap:8px;margin:16px 0 20px;padding:0;list-style:none}
.sums li,.level{border-radius:6px;padding:2px 9px;font-weight:600;font-size:13px;white-space:nowrap;
border:1px solid currentColor}
.bad{color:var(--bad);background:var(--bad-bg)}.due{color:var(--due);background:var(--due-bg)}
.good{color:var(--good);background:var(--good-bg)}.you{color:var(--you);background:var(--you-bg)}
.wait{color:var(--wait);background:var(--wait-bg)}.gone{color:var(--gone);background:var(--gone-bg)}
table{width:100%;border-collapse:separate;border-spacing:0;background:var(--card);border:1px solid var(--line);
border-radius:10px;table-layout:fixed}
caption{text-align:left}
th,td{padding:11px 14px;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
tbody tr:last-child>*{border-bottom:0}
thead th{font-size:12px;color:var(--soft);font-weight:600;vertical-align:bottom;position:relative}
thead button{font:inherit;color:inherit;background:none;border:0;padding:2px 0;cursor:pointer;text-align:left}
thead button::after{content:" ↕";opacity:.55}
[aria-sort=ascending] button::after{content:" ↑";opacity:1}[aria-sort=descending] button::after{content:" ↓";opacity:1}
thead button:focus-visible,summary:focus-visible,a:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.c-name{width:21%}.c-level{width:13%}.c-end{width:13%}.c-time{width:26%}
tbody th{font-weight:600}
tbody th bdi,td bdi{unicode-bidi:isolate}
tbody th small{display:block;font-weight:400}
td .level{display:inline-block}
td small{display:block;margin-top:3px}
details{font-weight:400;font-size:13px}summary{cursor:pointer;color:var(--soft)}
ul.plain{margin:0;padding:0;list-style:none}
ul.plain li+li{margin-top:6px}
.who{font-weight:600;font-size:13px}
.who.you,.who.wait{background:none}
th.c-time,td.c-time{padding-left:0;padding-right:0;position:relative}
.axis{position:relative;display:block;height:30px;font-size:11px;font-weight:400;font-variant-numeric:tabular-nums}
.axis span{position:absolute;bottom:0;transform:translateX(-50%);white-space:nowrap}
.axis .today{top:0;bottom:auto;font-weight:700;color:var(--text)}
.lane{display:block;height:22px}
.lane i{position:absolute;top:0;bottom:0;width:0;border-left:1px solid var(--grid)}
.lane i.today{border-left:2px solid var(--text);opacity:.75}
.bar{position:absolute;top:14px;height:16px;min-width:4px;border-radius:4px;border:1px solid currentColor;
print-color-adjust:exact;-webkit-print-color-adjust:exact}
.bar b{position:absolute;left:0;top:0;bottom:0;background:currentColor;opacity:.28}
.bar.before{border-left-style:dashed;border-top-left-radius:0;border-bottom-left-radius:0}
.bar.beyond{border-right-style:dashed;border-top-right-radius:0;border-bottom-right-radius:0}
.paid{position:absolute;top:17px;width:10px;height:10px;margin-left:-5px;border:2px solid var(--soft);
background:var(--card);transform:rotate(45deg)}
.none{color:var(--soft);font-size:13px}
.hide{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.empty{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:20px}
footer{margin-top:14px}
footer .paid{position:static;display:inline-block;margin:0 5px 0 2px}
footer .mark{display:inline-block;width:0;height:12px;border-left:2px solid var(--text);margin:0 6px 0 4px;
vertical-align:-1px}
@media screen and (max-width:760px){
main{padding:16px 12px 28px}
h1{font-size:20px}
table,tbody,tr,td,tbody th,caption{display:block;width:100%}
table{background:none;border:0}
thead{display:none}
.js thead{display:block;margin-bottom:10px}
.js thead tr{display:flex;flex-wrap:wrap;gap:6px}
.js thead th{display:block;width:auto;padding:0;border:0}
.js thead th.c-time{display:none}
.js thead button{border:1px solid var(--line);border-radius:6px;background:var(--card);padding:6px 10px;font-size:13px}
tbody tr{background:var(--card);border:1px solid var(--line);border-radius:10px;margin-bottom:12px;padding:10px 12px}
tbody th,td{border:0;padding:3px 0}
tbody .c-name,tbody .c-time,tbody .c-open{width:100%}
td.c-time{margin-top:4px;display:grid;grid-template-columns:1fr 1fr}
td.c-time::before,td.c-time::after{content:attr(data-from);order:1;color:var(--soft);font-size:11px}
td.c-time::after{content:attr(data-to);text-align:right}
.lane{grid-column:1/3}
.lane{height:26px;position:relative;border-bottom:1px solid var(--line)}
.bar{top:5px}.paid{top:8px}
td.c-level,td.c-end{display:inline-block;width:auto;margin-right:12px;vertical-align:top}
td.c-end .when{display:block;padding-top:2px}
td.c-open:empty,td.c-time.bare{display:none}
}
@media print{
:root{--page:#fff;--card:#fff;--text:#000;--soft:#444;--line:#999;--grid:#ddd;--link:#000;--bad:#a01010;--due:#6b4500;
--good:#0b5128;--you:#42269c;--wait:#12447c;--gone:#444}
@page{size:A4 landscape;margin:12mm}
body,small,.soft,.sums li,.level,.who,.none,details,thead th{font-size:10px}
.sums li,.level{padding:0 5px}
.axis{font-size:8px}
details::details-content{content-visibility:visible;display:block}
main{max-width:none;padding:0}
thead{display:table-header-group}
thead button::after{content:""}
tr{break-inside:avoid}
th,td{padding:6px 8px}
.bad,.due,.good,.you,.wait,.gone{background:none}
td.c-open a[href]::after{content:" (" attr(href) ")"}
}
"""

#: Sorts the rows by the column whose heading is clicked; the page is complete without it.
_SCRIPT = """
(function(){
document.documentElement.className="js";
var table=document.querySelector("table");
if(!table){return}
var body=table.tBodies[0],heads=table.tHead.rows[0].cells;
function key(row,column){var cell=row.cells[column];return cell.getAttribute("data-key")||cell.textContent.trim()}
function compare(a,b){return a.localeCompare(b,undefined,{numeric:true})}
Array.prototype.forEach.call(heads,function(head,column){
if(!head.hasAttribute("data-sort")){return}
var button=document.createElement("button");
button.type="button";
button.textContent=head.textContent;
head.textContent="";
head.appendChild(button);
button.addEventListener("click",function(){
var down=head.getAttribute("aria-sort")==="ascending";
Array.prototype.forEach.call(heads,function(one){one.removeAttribute("aria-sort")});
head.setAttribute("aria-sort",down?"descending":"ascending");
Array.prototype.slice.call(body.rows).sort(function(a,b){
return (down?-1:1)*compare(key(a,column),key(b,column))
}).forEach(function(row){body.appendChild(row)});
});
});
})();
"""


def make_page(orders: t.Sequence[Data], now: datetime.datetime, title: str = "Certificates") -> str:
    """The page for these orders.

    Arguments:
        now: the present, aware.
        title: the heading of the page.
    """
    entries = make_entries(orders, now)
    axis = _Axis.around(entries, now)
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode("utf-8")).digest()).decode("ascii")
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    policy += f"; script-src 'sha256-{digest}'"
    heading = escape(title)
    when = now.astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    body = _table(entries, axis, now) if entries else '<p class="empty">There are no orders to show.</p>'
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>{heading} {when}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<header>
<h1>{heading}</h1>
<p class="soft">As of <time datetime="{now.isoformat()}">{when}</time>. What ends first is on top.</p>
</header>
{_sums(entries, now)}
{body}
<footer class="soft">{_legend(entries, axis)}</footer>
</main>
<script>{_SCRIPT}</script>
</body>
</html>
"""


class _Axis:
    """The time that the page shows, the same for all bars; places on it are percentages."""

    def __init__(self, begin: datetime.datetime, finish: datetime.datetime, now: datetime.datetime) -> None:
        self.begin, self.finish, self.now = begin, finish, now

    @classmethod
    def around(cls, entries: t.Sequence[Entry], now: datetime.datetime) -> _Axis:
        """The axis on which the present, and as much as possible of each certificate, can be seen."""
        ends = [entry.end for entry in entries if entry.end is not None]
        starts = [entry.start for entry in entries if entry.start is not None]
        ahead = min(max([end - now for end in ends], default=_MIN_AHEAD), _MAX_AHEAD)
        ahead = max(ahead, _MIN_AHEAD) * 1.04
        # What has ended long ago would leave no room for what is valid.
        behind = min(max([now - start for start in starts], default=ahead / 8), ahead)
        return cls(now - max(behind, ahead / 8), now + ahead, now)

    def place(self, moment: datetime.datetime) -> float:
        """Where a moment stands, from 0 to 100."""
        share = (moment - self.begin) / (self.finish - self.begin)
        return round(100 * min(max(share, 0.0), 1.0), 2)

    def holds(self, moment: datetime.datetime) -> bool:
        """Whether it is on the axis."""
        return self.begin <= moment <= self.finish

    def ticks(self) -> list[datetime.datetime]:
        """Days with a tick, not too many, and none that would stand at the very edge or on the present."""
        whole = (self.finish - self.begin).days
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        step = next((days for days in _DAYS if whole / days <= _MAX_TICKS), None)
        if step is not None:
            days = [midnight + datetime.timedelta(days=step * number) for number in range(-_MAX_TICKS, _MAX_TICKS + 1)]
        else:
            months = next((months for months in _MONTHS if whole / 30 / months <= _MAX_TICKS), 12)
            january = midnight.year * 12 // months * months
            firsts = (divmod(january + months * number, 12) for number in range(-_MAX_TICKS * 2, _MAX_TICKS * 4))
            days = [midnight.replace(year=year, month=month + 1, day=1) for year, month in firsts]
        return [day for day in days if 4 <= self.place(day) <= 94 and abs(self.place(day) - self.place(self.now)) > 3]

    def labels(self) -> list[tuple[datetime.datetime, str]]:
        """The ticks with their words: days, or months, the first of another year with its year."""
        days = self.ticks()
        if (self.finish - self.begin).days / _DAYS[-1] <= _MAX_TICKS:
            return [(day, f"{day.day} {day:%b}") for day in days]
        years = [self.now.year, *(day.year for day in days)]
        return [(day, f"{day:%b}" if day.year in years[: at + 1] else f"{day:%b %Y}") for at, day in enumerate(days)]


# -- parts --------------------------------------------------------------------------


def _sums(entries: t.Sequence[Entry], now: datetime.datetime) -> str:
    counts = dict.fromkeys(_LEVELS, 0)
    for entry in entries:
        counts[entry.level(now)] += 1
    items = [
        f'<li class="{kind}"><span aria-hidden="true">{sign}</span> {counts[level]} {level}</li>'
        for level, (kind, sign) in _LEVELS.items()
        if counts[level]
    ]
    return f'<ul class="sums" aria-label="Summary">{"".join(items)}</ul>' if items else ""


def _table(entries: t.Sequence[Entry], axis: _Axis, now: datetime.datetime) -> str:
    ticks = "".join(f'<span style="left:{axis.place(day)}%">{label}</span>' for day, label in axis.labels())
    rows = "\n".join(_row(entry, axis, now) for entry in entries)
    today = f'<span class="today" style="left:{axis.place(now)}%">today</span>'
    return f"""<table>
<caption class="hide">Certificates and their orders</caption>
<thead><tr>
<th scope="col" class="c-name" data-sort>Certificate</th>
<th scope="col" class="c-level" data-sort>State</th>
<th scope="col" class="c-end" data-sort>End</th>
<th scope="col" class="c-time"><span class="hide">Time from start to end</span><span class="axis" aria-hidden="true">
{today}{ticks}</span></th>
<th scope="col" class="c-open" data-sort>Open, and by whom</th>
</tr></thead>
<tbody>
{rows}
</tbody>
</table>"""


def _row(entry: Entry, axis: _Axis, now: datetime.datetime) -> str:
    level = entry.level(now)
    kind, sign = _LEVELS[level]
    rank = list(_LEVELS).index(level)
    end_key = "9" * 14 if entry.end is None else entry.end.strftime("%Y%m%d%H%M%S")
    bare = "" if entry.end is not None or entry.coverage_end is not None else " bare"
    span = f'data-from="{axis.begin:%b %Y}" data-to="{axis.finish:%b %Y}"'
    return f"""<tr>
<th scope="row" class="c-name">{_names(entry)}<small>{_subject(entry)}</small>{_hosts(entry)}</th>
<td class="c-level" data-key="{rank}"><span class="level {kind}"><span aria-hidden="true">{sign}</span> {level}</span>\
<small>{_text(_status(entry))}</small></td>
<td class="c-end" data-key="{end_key}">{_end(entry, now)}</td>
<td class="c-time{bare}" {span}>{_lane(entry, kind, axis, now)}</td>
<td class="c-open">{_open(entry, now)}</td>
</tr>"""


def _names(entry: Entry) -> str:
    if not entry.names:
        return '<span class="none">no names reported</span>'
    first = "<br>".join(_text(name) for name in entry.names[:_FIRST_NAMES])
    return first + _behind(entry.names[_FIRST_NAMES:], "more names")


def _behind(items: t.Sequence[str], what: str) -> str:
    """More of the same behind a click, so many as can be shown."""
    if not items:
        return ""
    shown = "<br>".join(_text(one) for one in items[:MAX_SHOWN])
    left = f"<br>and {len(items) - MAX_SHOWN} more" if len(items) > MAX_SHOWN else ""
    return f"<details><summary>{len(items)} {what}</summary>{shown}{left}</details>"


def _subject(entry: Entry) -> str:
    order = f"order {_text(entry.order_id)}" if entry.order_id else "no order ID"
    return f"{_text(entry.provider or 'unknown provider')}, {order}"


def _hosts(entry: Entry) -> str:
    if not entry.hosts:
        return ""
    if len(entry.hosts) <= _FIRST_NAMES:
        return f"<small>on {', '.join(_text(host) for host in entry.hosts)}</small>"
    return _behind(entry.hosts, "hosts")


def _status(entry: Entry) -> str:
    done = f", {entry.names_done} of {len(entry.names)} names validated" if entry.names and not entry.issued else ""
    return entry.status.replace("_", " ") + (done if entry.answered else "")


def _end(entry: Entry, now: datetime.datetime) -> str:
    if entry.end is None:
        return f'<span class="none when">{_without_end(entry)}</span>' if entry.answered else ""
    day = f'<time class="when" datetime="{entry.end.isoformat()}">{entry.end:%Y-%m-%d}</time>'
    words = describe_end(entry.end, now).partition(", ")[2]
    known = entry.due == "renewal" and entry.level(now) == Level.DUE
    due = f"<small>due: {_text(entry.due)}</small>" if entry.due and not known else ""
    return f"{day}<small>{words}</small>{due}"


def _without_end(entry: Entry) -> str:
    if entry.status in (Status.ISSUED, Status.EXPIRED):
        return "end not known"
    return "no certificate" if not entry.answered or Level.of_status(entry.status) else "no certificate yet"


def _lane(entry: Entry, kind: str, axis: _Axis, now: datetime.datetime) -> str:
    grid = "".join(f'<i style="left:{axis.place(day)}%"></i>' for day in axis.ticks())
    parts = [f'{grid}<i class="today" style="left:{axis.place(now)}%"></i>']
    words = _without_end(entry)
    if entry.end is not None:
        day = datetime.timedelta(days=1)
        # Not before the axis begins: a day before the first that Python knows is none.
        start = entry.start or min(now, max(entry.end, axis.begin + day) - day)
        left, right = axis.place(start), axis.place(entry.end)
        edges = " before" * (entry.start is None or entry.start < axis.begin) + " beyond" * (entry.end > axis.finish)
        used = 0.0 if right <= left else round(100 * min(max((axis.place(now) - left) / (right - left), 0), 1), 1)
        parts.append(
            f'<span class="bar {kind}{edges}" style="left:{left}%;width:{round(max(right - left, 0.0), 2)}%">'
            f'<b style="width:{used}%"></b></span>'
        )
        since = f"from {entry.start:%Y-%m-%d}" if entry.start is not None else "start not known"
        words = f"{since} to {entry.end:%Y-%m-%d}"
    if entry.coverage_end is not None and axis.holds(entry.coverage_end):
        parts.append(f'<span class="paid" style="left:{axis.place(entry.coverage_end)}%"></span>')
    if entry.coverage_end is not None:
        words += f", paid for until {entry.coverage_end:%Y-%m-%d}"
    drawn = f'<span class="lane" title="{words}" aria-hidden="true">{"".join(parts)}</span>'
    return f'{drawn}<span class="hide">{words}</span>'


def _open(entry: Entry, now: datetime.datetime) -> str:
    items = [_todo(todo) for todo in entry.todos[:MAX_SHOWN]]
    if len(entry.todos) > MAX_SHOWN:
        items.append(f"and {len(entry.todos) - MAX_SHOWN} more")
    if entry.note:
        who = '<span class="who you">You:</span> ' if not entry.answered else ""
        items.append(who + _text(entry.note))
    shown = {todo.url for todo in entry.todos}
    items += [_link(url, text) for text, url in entry.links[:MAX_SHOWN] if url not in shown]
    items += [_served(served, now) for served in entry.served[:MAX_SHOWN]]
    return f'<ul class="plain">{"".join(f"<li>{item}</li>" for item in items)}</ul>' if items else ""


def _todo(todo: Todo) -> str:
    kind, who = ("wait", "Provider") if todo.actor == "provider" else ("you", "You")
    link = f" {_link(todo.url, 'open the page')}" if todo.url is not None else ""
    return f'<span class="who {kind}">{who}:</span> {_text(todo.message)}{link}'


def _served(served: Served, now: datetime.datetime) -> str:
    words = _SERVED.get(served.state, _SERVED["unknown"])
    if served.state == "unknown" and served.end is not None:
        words = "may serve this certificate or another"
    if served.state == "another" and served.end is not None:
        words += f", which {describe_end(served.end, now)}"
    reason = f": {_text(served.message)}" if served.message else ""
    return f"{_text(served.host)} {words}{reason}"


def _legend(entries: t.Sequence[Entry], axis: _Axis) -> str:
    parts = ['<span class="mark"></span>today']
    if any(entry.coverage_end is not None and axis.holds(entry.coverage_end) for entry in entries):
        parts.append('<span class="paid"></span>paid for until then')
    return " &nbsp; ".join(parts) + ". A bar is a certificate, from its start to its end." if entries else ""


# -- escaping -----------------------------------------------------------------------


def _text(value: str) -> str:
    """A text that somebody else wrote, for HTML; its direction ends with it."""
    return f"<bdi>{escape(value)}</bdi>"


def _link(url: str, text: str) -> str:
    return f'<a href="{escape(url)}" rel="noopener noreferrer nofollow">{escape(text)}</a>'

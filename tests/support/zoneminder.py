"""ZoneMinder as its API was met (1.36.33): local whole seconds, comparisons inside paths, pages, a running event
without an end whose file is 36 bytes, nothing with a status of 200 where there is no file.
zoneminder.py PORT FOLDER FROM MODE: FOLDER/1.mp4, 2.mp4 ... are the files of events of 20 s each, the first begins at
FROM (seconds since 1970); MODE: plain, open (no logins), expires (a token serves three requests), lost (no files),
other (another answer)."""
import datetime, http.server, json, os, re, sys, urllib.parse, zoneinfo

port, folder, begin, mode = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
ZONE = zoneinfo.ZoneInfo('Europe/Moscow')
tokens = {}


def local(t):
    return datetime.datetime.fromtimestamp(t, ZONE).strftime('%Y-%m-%d %H:%M:%S')


EVENTS = [{'Id': str(k + 1), 'MonitorId': '3', 'StartDateTime': local(begin + 20 * k),
           'EndDateTime': local(begin + 20 * k + 20) if k < 3 else None, 'Length': '20.40' if k < 3 else '7.00'} for k in range(4)]


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        print(self.command, self.path, *args[1:], flush=True)

    def answer(self, body, status=200, kind='application/json', headers=()):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def is_known(self, q):
        if mode == 'open':
            return 'token' not in q and 'Authorization' not in self.headers
        left = tokens.get(q.get('token'), 0)
        later = not self.headers.get('Range', 'bytes=0-').startswith('bytes=0-')  # of a file that is being read
        tokens[q.get('token')] = left - (not later)
        return left > 0 or (later and q.get('token') in tokens)

    def events(self, path, q):
        said = dict(part.split(':', 1) for part in path.removesuffix('.json').split('/index/')[1].split('/'))
        rows = [e for e in EVENTS if e['MonitorId'] == said['MonitorId'] and e['StartDateTime'] <= said['StartTime <=']]
        if 'EndTime >=' in said:
            rows = [e for e in rows if e['EndDateTime'] and e['EndDateTime'] >= said['EndTime >=']]
        if q.get('direction') == 'desc':
            rows.reverse()
        limit, page = min(int(q['limit']), 2), int(q.get('page', 1))
        some = rows[limit * (page - 1):limit * page]
        return self.answer({'events': [{'Event': e} for e in some], 'pagination': {'page': page, 'nextPage': limit * page < len(rows)}})

    def video(self, q):
        name = f'{folder}/{q["eid"]}.mp4'
        body = b'\0' * 36 if q['eid'] == '4' else open(name, 'rb').read() if os.path.exists(name) and mode != 'lost' else b''
        asked = re.fullmatch(r'bytes=(\d+)-(\d+)', self.headers.get('Range', ''))
        if not asked:
            return self.answer(body, 200, 'video/mp4')
        if int(asked[2]) >= len(body) and len(body) < 100:  # announces what was asked for, and ends
            self.send_response(200)
            self.send_header('Content-Length', str(int(asked[2]) - int(asked[1]) + 1))
            self.end_headers()
            return self.wfile.write(body)
        a, b = int(asked[1]), min(int(asked[2]), len(body) - 1)
        return self.answer(body[a:b + 1], 206, 'video/mp4', [('Content-Range', f'bytes {a}-{b}/{len(body)}')])

    def do_GET(self):
        path, _, query = self.path.partition('?')
        path, q = urllib.parse.unquote(path), dict(urllib.parse.parse_qsl(query))
        if not self.is_known(q):
            return self.answer({'success': False}, 401)
        if mode == 'other':
            return self.answer({'success': True})
        if path == '/zm/api/host/getTimeZone.json':
            return self.answer({'tz': 'Europe/Moscow'})
        if path.startswith('/zm/api/events/index/'):
            return self.events(path, q)
        if path == '/zm/index.php' and q['view'] == 'view_video':
            return self.video(q)
        return self.answer({}, 404)

    def do_POST(self):
        said = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers['Content-Length'])).decode()))
        if said != {'user': 'anna', 'pass': 'se&cret +'}:
            return self.answer({'success': False}, 401)
        name = f'token {len(tokens)}'
        tokens[name] = 3 if mode == 'expires' else 1000
        self.answer({'access_token': name, 'access_token_expires': 3600})


http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler).serve_forever()

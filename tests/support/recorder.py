"""Recorders for tests, shaped by what is known of their interfaces; none is the product itself. Each holds two
stretches of the same film, 60 s each, with 5 s of nothing between them, and renders what is asked by ffmpeg.
recorder.py PORT FILM FROM KIND: FROM is the first second of the first stretch, seconds since 1970."""
import datetime, http.server, json, math, subprocess, sys, urllib.parse

port, film, begin, kind = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
SPANS = [(begin, begin + 60), (begin + 65, begin + 125)]
MOSCOW = datetime.timezone(datetime.timedelta(hours=3))
tokens = []


def nano(t):
    return datetime.datetime.fromtimestamp(t, MOSCOW).strftime('%Y-%m-%dT%H:%M:%S.%f') + '000+03:00'


def parse(text):
    return datetime.datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp()


def russian(text):
    return datetime.datetime.strptime(text, '%d.%m.%Y %H:%M:%S').replace(tzinfo=datetime.timezone.utc).timestamp()


def inside(t0, t1):
    return [(max(a, t0), min(b, t1)) for a, b in SPANS if a < t1 and b > t0]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        print(self.command, self.path, *args[1:], flush=True)

    def answer(self, status, body, kind='application/json', headers=()):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def render(self, t0, t1, container='mp4'):
        """From t0 on, no further than the first gap; media time 0 is t0."""
        found = inside(t0, t1)
        if not found:
            return None
        a, b = found[0]
        span = next(s for s in SPANS if s[0] <= a < s[1])
        first = math.ceil((a - span[0]) * 10 - 1e-6) / 10  # frames come every 0.1 s
        options = ['-movflags', 'frag_keyframe+empty_moov+delay_moov'] if container == 'mp4' else []
        command = ['ffmpeg', '-nostdin', '-v', 'error', '-ss', f'{first:.6f}', '-i', film, '-t', f'{b - span[0] - first:.6f}',
                   '-output_ts_offset', f'{first - a + span[0]:.6f}', '-c:v', 'libx264',
                   '-preset', 'ultrafast', '-crf', '10', '-g', '30', '-bf', '0', '-fps_mode', 'passthrough', '-enc_time_base', '1:1000',
                   '-video_track_timescale', '90000', *options, '-f',
                   'mp4' if container == 'mp4' else 'matroska', '-']
        return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout

    def send(self, body, none=404):
        if body is None:
            return self.answer(none, {'success': False, 'message': 'no recordings found'})
        self.send_response(200)
        self.send_header('Content-Type', 'video/mp4')
        self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()
        for at in range(0, len(body), 50000):
            part = body[at:at + 50000]
            self.wfile.write(b'%x\r\n%s\r\n' % (len(part), part))
        self.wfile.write(b'0\r\n\r\n')

    def mediamtx(self, path, q):
        if q.get('path') != 'till/1':
            return self.answer(400, {'status': 'error', 'error': 'invalid path'})
        if path == '/list':
            found = inside(parse(q['start']), parse(q['end']))
            if not found:
                return self.answer(404, {'status': 'error', 'error': 'no recording segments found'})
            return self.answer(200, [{'start': nano(a), 'duration': b - a, 'url': 'http://elsewhere/'} for a, b in found])
        t0 = parse(q['start'])
        return self.send(self.render(t0, t0 + float(q['duration'])))

    def frigate(self, path, q):
        if not set(tokens) & {self.headers.get('Cookie', '').removeprefix('frigate_token=')}:
            return self.answer(401, {'message': 'Login required'})
        parts = path.split('/')
        if parts[3] == 'recordings':
            rows = [{'start_time': t + 0.0, 'end_time': min(t + 10, b) + 0.0} for a, b in SPANS for t in range(a, b, 10)]
            return self.answer(200, [r for r in rows if r['start_time'] < float(q['before']) and r['end_time'] > float(q['after'])])
        if len(tokens) == 1:  # expires in the middle
            tokens.clear()
        return self.send(self.render(int(float(parts[4])), float(parts[6])), none=400)

    def flussonic(self, path, q):
        if q.get('token') != 'to ken/+':
            return self.answer(403, {'error': 'forbidden'})
        if path.endswith('/recording_status.json'):
            found = inside(int(q['from']), int(q['to']))
            return self.answer(200, [{'stream': 'till/1', 'ranges': [{'from': a, 'duration': b - a} for a, b in found]}])
        t0, length = path.split('/')[-1].removesuffix('.mp4').split('-')[1:]
        return self.send(self.render(int(t0), int(t0) + int(length)))

    def nx(self, path, q):
        if path.startswith('/ec2/'):
            found = inside(int(q['startTime']) / 1000, int(q['endTime']) / 1000)
            return self.answer(200, [{'startTimeMs': str(int(a * 1000)), 'durationMs': str(int((b - a) * 1000))} for a, b in found])
        return self.send(self.render(int(q['pos']) / 1000, int(q['endPos']) / 1000, 'matroska'))

    def macroscop(self, path, q):
        if (q.get('login'), q.get('password')) != ('anna', 'se&cret'):
            return self.answer(401, {})
        t0, t1 = russian(q['fromtime']), russian(q['totime'])
        if path == '/archivefragments':
            iso = lambda t: datetime.datetime.utcfromtimestamp(t).strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3]
            return self.answer(200, {'Fragments': [{'FromTime': iso(a), 'ToTime': iso(b)} for a, b in inside(t0, t1)]})
        return self.send(self.render(t0, t1))

    def login(self, path, q):
        return self.answer(200, b'<html>Please log in</html>', 'text/html')

    def do_GET(self):
        path, _, query = self.path.partition('?')
        try:
            getattr(self, kind)(urllib.parse.unquote(path), dict(urllib.parse.parse_qsl(query)))
        except Exception as trouble:
            print(repr(trouble), flush=True)
            self.answer(500, {})

    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        if said != {'user': 'anna', 'password': 'qu"ote'}:
            return self.answer(401, {'message': 'Login failed'})
        tokens.append(f'token{len(tokens)}{port}')
        self.answer(200, {}, headers=[('Set-Cookie', f'frigate_token={tokens[-1]}; HttpOnly; Path=/')])


http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler).serve_forever()

"""Recorders for tests, shaped by what is known of their interfaces; none is the product itself. Each holds two
stretches of the same film, 60 s each, with 5 s of nothing between them, and renders what is asked by ffmpeg.
recorder.py PORT FILM FROM KIND[:MODE] [CERTIFICATES]: FROM is the first second of the first stretch, seconds since
1970; CERTIFICATES is a folder with cert.pem and key.pem. GET /jobs tells how many export tasks there are."""
import datetime, hashlib, html, http.server, json, math, re, ssl, struct, subprocess, sys, time, urllib.parse

port, film, begin, kind = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
kind, _, mode = kind.partition(':')
SPANS = [(begin, begin + 60), (begin + 65, begin + 125)]
MOSCOW = datetime.timezone(datetime.timedelta(hours=3))
tokens = []
jobs = {}  # of exports: times asked for, how often their state was asked
made = []  # every export task there was
objects = {}  # of searches: what is left to be told; two at a time


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
    said = None  # of a POST in JSON

    def log_message(self, *args):
        print(self.command, self.path, *args[1:], flush=True)

    def answer(self, status, body, kind='application/json', headers=()):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header('Content-Type', kind)
        if status != 204:
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

    # Digest, XML, program streams behind 64 bytes of the recorder's own; its times are local and end in Z.
    REALM = 'digest realm="IP Camera", qop="auth", nonce="6f2b9c1d", algorithm=MD5'

    def is_known(self):
        said = self.headers.get('Authorization', '')
        fields = dict(re.findall(r'(\w+)="?([^",]+)', said))
        md5 = lambda text: hashlib.md5(text.encode()).hexdigest()
        first = md5(f'anna:IP Camera:pass word')
        second = md5(f'{self.command}:{self.path}')
        return said.startswith('Digest ') and fields.get('response') == md5(
            ':'.join([first, '6f2b9c1d', fields['nc'], fields['cnonce'], 'auth', second]))

    def hik_time(self, t):
        return datetime.datetime.fromtimestamp(t, MOSCOW).strftime('%Y-%m-%dT%H:%M:%SZ')

    def hik_read(self, text):
        return datetime.datetime.strptime(text.replace('-', '').replace(':', ''), '%Y%m%dT%H%M%SZ').replace(tzinfo=MOSCOW).timestamp()

    def hik_program_stream(self, t0, t1):
        """From the key frame before t0 on: there is one each second."""
        a, b = inside(t0, t1)[0]
        span = next(s for s in SPANS if s[0] <= a < s[1])
        body = subprocess.run(['ffmpeg', '-nostdin', '-v', 'error', '-ss', str(int(a - span[0])), '-i', film, '-t', str(b - int(a)), '-c:v',
                               'mpeg2video', '-q:v', '2', '-g', '10', '-bf', '0', '-r', '25', '-f', 'vob', '-'], stdout=subprocess.PIPE, check=True).stdout
        return b'\0\0\0\x40' + b'IMKH'.ljust(60, b'\0') + body

    def hik_search(self, said):
        if not re.search(r'<searchID>[0-9A-F]{8}-([0-9A-F]{4}-){3}[0-9A-F]{12}<', said):
            return self.answer(400, b'<ResponseStatus/>', 'application/xml')
        t0, t1 = (self.hik_read(re.search(f'<{n}>(.*?)</{n}>', said)[1]) for n in ('startTime', 'endTime'))
        found = [s for s in SPANS if s[0] < t1 and s[1] > t0]
        skip = int(re.search('<searchResultPostion>(.*?)<', said)[1])
        items = ''.join(f'<searchMatchItem><trackID>101</trackID><timeSpan><startTime>{self.hik_time(a)}</startTime><endTime>{self.hik_time(b)}</endTime>'
                        '</timeSpan><mediaSegmentDescriptor><playbackURI>rtsp://10.0.0.7:80/Streaming/tracks/101/?starttime='
                        f'{self.hik_time(a).replace("-", "").replace(":", "")}&amp;endtime={self.hik_time(b).replace("-", "").replace(":", "")}'
                        f'&amp;name=0000{a}&amp;size=123</playbackURI></mediaSegmentDescriptor></searchMatchItem>' for a, b in found[skip:skip + 1])
        status = 'NO MATCHES' if not found else 'MORE' if skip + 1 < len(found) else 'OK'
        self.answer(200, f'<?xml version="1.0" encoding="UTF-8"?><CMSearchResult xmlns="http://www.hikvision.com/ver20/XMLSchema">'
                         f'<responseStatusStrg>{status}</responseStatusStrg><matchList>{items}</matchList></CMSearchResult>'.encode(), 'application/xml')

    def hik_download(self, said):
        uri = html.unescape(re.search('<playbackURI>(.*?)</playbackURI>', said)[1])
        asked = dict(urllib.parse.parse_qsl(uri.split('?')[1]))
        t0, t1 = self.hik_read(asked['starttime']), self.hik_read(asked['endtime'])
        if kind == 'hikfile' and (t0, t1) not in [(float(a), float(b)) for a, b in SPANS]:
            return self.answer(200, b'<ResponseStatus><statusString>notSupport</statusString></ResponseStatus>', 'application/xml')
        if 'name' not in asked:
            return self.answer(403, b'')
        self.send(self.hik_program_stream(t0, t1))

    def hikvision(self, path, q):
        now = datetime.datetime.now(MOSCOW) + datetime.timedelta(seconds=37)
        return self.answer(200, f'<Time><timeMode>manual</timeMode><localTime>{now:%Y-%m-%dT%H:%M:%S}+02:00</localTime></Time>'.encode(), 'application/xml')

    def hik_post(self, said):
        if not self.is_known():
            return self.answer(401, b'', headers=[('WWW-Authenticate', self.REALM)])
        (self.hik_search if self.path.endswith('/search') else self.hik_download)(said.decode())

    hikfile = hikvision

    # Digest, lines of name=value, local times, searches that must be ended, DHAV.
    def dahua_read(self, text):
        return datetime.datetime.strptime(text, '%Y-%m-%d %H:%M:%S').replace(tzinfo=MOSCOW).timestamp()

    def dahua_body(self, t0, t1):
        """From a second before t0 on, no further than the first gap. A frame: 24 bytes, extensions, data, 8 bytes."""
        a, b = inside(t0, t1)[0]
        span = next(s for s in SPANS if s[0] <= a < s[1])
        a = max(int(a) - 1, span[0])
        body = subprocess.run(['ffmpeg', '-nostdin', '-v', 'error', '-ss', str(a - span[0]), '-i', film, '-t', str(b - a), '-c:v', 'libx264', '-preset',
                               'ultrafast', '-crf', '10', '-bf', '0', '-x264-params', 'aud=1:keyint=10:min-keyint=10:scenecut=0:repeat-headers=1',
                               '-f', 'h264', '-'], stdout=subprocess.PIPE, check=True).stdout
        out = []
        for k, data in enumerate(part for part in body.split(b'\0\0\0\1\x09') if part):
            data = b'\0\0\0\1\x09' + data
            key = k % 10 == 0
            extension = bytes([0x81, 0, 2, 10, 0x82, 0, 0, 0]) + struct.pack('<HH', 64, 48) if key else b''
            d = datetime.datetime.fromtimestamp(a + k // 10, MOSCOW)
            date = (d.year - 2000) << 26 | d.month << 22 | d.day << 17 | d.hour << 12 | d.minute << 6 | d.second
            length = 24 + len(extension) + len(data) + 8
            out.append(b'DHAV' + struct.pack('<BBBBIIIHBB', 0xfd if key else 0xfc, 0, 0, 0, k, length, date, k * 100 % 65535, len(extension), 0) +
                       extension + data + b'dhav' + struct.pack('<I', length))
        return b''.join(out)

    def dahua(self, path, q):
        if not self.is_known():
            return self.answer(401, b'', headers=[('WWW-Authenticate', self.REALM)])
        say = lambda text: self.answer(200, text.encode(), 'text/plain')
        action, name = q['action'], q.get('object')
        if action == 'getCurrentTime':
            now = datetime.datetime.now(MOSCOW) + datetime.timedelta(seconds=37)
            return say(f'result={now:%Y-%m-%d %H:%M:%S}\r\n')
        if action == 'factory.create' and len(objects) < 2:
            name = str(1000 + len(tokens))
            tokens.append(name)
            objects[name] = []
            return say(f'result={name}\r\n')
        if action == 'startLoad' and q['channel'] == '1':
            return self.send(self.dahua_body(self.dahua_read(q['startTime']), self.dahua_read(q['endTime'])))
        if name not in objects:
            return self.answer(400, b'Error\r\nBad Request!\r\n', 'text/plain')
        if action == 'findFile':
            t0, t1 = self.dahua_read(q['condition.StartTime']), self.dahua_read(q['condition.EndTime'])
            found = [s for s in SPANS if s[0] < t1 and s[1] > t0] if q['condition.Channel'] == '1' else []
            objects[name] = found
            return say('OK\r\n') if found else self.answer(400, b'Error\r\nBad Request!\r\n', 'text/plain')
        if action == 'findNextFile':
            found, objects[name] = objects[name], []
            stamp = lambda t: datetime.datetime.fromtimestamp(t, MOSCOW).strftime('%Y-%m-%d %H:%M:%S')
            return say(f'found={len(found)}\r\n' + ''.join(f'items[{i}].Channel=0\r\nitems[{i}].StartTime={stamp(a)}\r\nitems[{i}].EndTime={stamp(b)}\r\n'
                                                           f'items[{i}].FilePath=/mnt/dvr/{a}.dav\r\n' for i, (a, b) in enumerate(found)))
        if action == 'destroy':
            objects.pop(name)
        return say('OK\r\n')

    # Digest, XML with every lens in one list, a recording exported by its id.
    def axis(self, path, q):
        if not self.is_known():
            return self.answer(401, b'', headers=[('WWW-Authenticate', self.REALM)])
        iso = lambda t: datetime.datetime.utcfromtimestamp(t).strftime('%Y-%m-%dT%H:%M:%S.%f') + 'Z'
        if path.endswith('/list.cgi'):
            rows = ''.join(f'<recording diskid="SD_DISK" recordingid="2026_{a}_ACCC" starttime="{iso(a)}" starttimelocal="x" stoptime="{iso(b)}" '
                           f'recordingstatus="completed" source="{source}" locked="No"><video mimetype="video/x-h264" width="64"/></recording>'
                           for source in (2, 1) for a, b in [(a - 7 * (source - 1), b) for a, b in reversed(SPANS)])
            return self.answer(200, f'<?xml version="1.0"?><root><recordings totalnumberofrecordings="4">{rows}</recordings></root>'.encode(), 'text/xml')
        span = next(s for s in SPANS if q['recordingid'] == f'2026_{s[0]}_ACCC' and q['diskid'] == 'SD_DISK')
        t0, t1 = parse(q['starttime']), parse(q['stoptime'])
        return self.send(self.render(t0, t1, 'matroska') if span[0] <= t0 < t1 <= span[1] else None)

    # A cookie, ticks of 90 kHz, one run a request; the first stretch is two runs. What comes before the start is hidden by an edit list.
    RUNS = [(7, 7, begin, begin + 30), (9, 11, begin + 30, begin + 60), (20, 20, begin + 65, begin + 125)]

    def moonfire(self, path, q):
        if not set(tokens) & {self.headers.get('Cookie', '').removeprefix('s=')}:
            return self.answer(403, b'', 'text/plain')
        if path.endswith('/recordings'):
            if self.headers['Accept'] != 'application/json':
                return self.answer(200, b'<html></html>', 'text/html')
            t0, t1 = int(q['startTime90k']), int(q['endTime90k'])
            rows = [{'startId': i, **({'endId': j} if j > i else {}), 'openId': 3, 'startTime90k': a * 90000, 'endTime90k': b * 90000, 'growing': False}
                    for i, j, a, b in reversed(self.RUNS)]
            return self.answer(200, {'recordings': [r for r in rows if r['startTime90k'] < t1 and r['endTime90k'] > t0]})
        i, j, opened, t0, t1 = map(int, re.fullmatch(r'(\d+)-(\d+)@(\d+)\.(\d+)-(\d+)', q['s']).groups())
        a, b = next((a, b) for m, n, a, b in self.RUNS if (m, n) == (i, j))
        if opened != 3 or a + t1 / 90000 > b or path.split('/')[3:5] != ['a1-b2', 'main']:
            return self.answer(400, b'unable to append', 'text/plain')
        name = f'{film}.{port}.mp4'
        subprocess.run(['ffmpeg', '-nostdin', '-v', 'error', '-y', '-ss', f'{a - max(s for s, _ in SPANS if s <= a) + t0 / 90000:.6f}', '-i', film, '-t',
                        f'{(t1 - t0) / 90000:.6f}', '-c', 'copy', '-video_track_timescale', '90000', name], check=True)
        return self.send(open(name, 'rb').read())

    # The key in the path, names in local time, times with the offset of when the server started; refusals with a status of 200.
    def shinobi(self, path, q):
        key, _, group, monitor, *name = path.split('/')[1:]
        if (key, group) != ('k%2Fey', 'g1'):
            return self.answer(200, {'ok': False, 'msg': 'Not Authorized'})
        local = lambda t: datetime.datetime.fromtimestamp(t, MOSCOW).strftime('%Y-%m-%dT%H-%M-%S')
        winter = lambda t: datetime.datetime.fromtimestamp(t, datetime.timezone(datetime.timedelta(hours=2))).isoformat()
        if not name:
            read = lambda n: datetime.datetime.fromisoformat(q[n]).replace(tzinfo=MOSCOW).timestamp()
            found = [(a, b) for a, b in SPANS if read('start') <= a <= read('end') and monitor == 'm7']
            rows = [{'mid': monitor, 'ke': group, 'time': winter(a), 'end': winter(b), 'ext': 'mp4', 'filename': local(a) + '.mp4', 'status': 1,
                     'href': f'/{key}/videos/{group}/{monitor}/{local(a)}.mp4'} for a, b in reversed(found)]
            return self.answer(200, {'isUTC': False, 'total': len(rows), 'limit': q['limit'], 'skip': 0, 'videos': rows})
        span = next((s for s in SPANS if name == [local(s[0]) + '.mp4']), None)
        if not span:
            return self.answer(200, b'File Not Found in Database', 'text/html')
        body = open(film, 'rb').read()
        said = re.fullmatch(r'bytes=(\d+)-(\d*)', self.headers.get('Range', ''))
        if not said:
            return self.answer(200, body, 'video/mp4')
        first, last = int(said[1]), min(int(said[2] or len(body)), len(body) - 1)
        return self.answer(206, body[first:last + 1], 'video/mp4', [('Content-Range', f'bytes {first}-{last}/{len(body)}')])

    # Exports: what is prepared first. Modes: never (it works without end), queued (behind others without end), behind (others
    # come first for three looks), fail, nothing, lost (the server forgets it: restarted), big (a second file).
    def job_new(self, t0, t1):
        name = f'job-{len(made)}'
        made.append(name)
        jobs[name] = [t0, t1, 0]
        return name

    def job_state(self, name):
        """gone, queued, working, done, fail or nothing"""
        if mode == 'lost' and name in jobs and jobs[name][2] == 1:
            jobs.pop(name)
        if name not in jobs:
            return 'gone'
        jobs[name][2] += 1
        looks = jobs[name][2]
        if mode in ('fail', 'nothing'):
            return mode if looks > 1 else 'working'
        if mode == 'queued' or mode == 'behind' and looks <= 3:
            return 'queued'
        return 'working' if mode == 'never' or looks < 2 else 'done'

    def axxon(self, path, q):
        if self.headers.get('Authorization') != 'Basic YW5uYTpwYXNzIHdvcmQ=':
            return self.answer(401, b'', headers=[('WWW-Authenticate', 'Basic realm="Axxon"')])
        read = lambda text: datetime.datetime.strptime(text, '%Y%m%dT%H%M%S.%f').replace(tzinfo=datetime.timezone.utc).timestamp()
        tell = lambda t: datetime.datetime.utcfromtimestamp(t).strftime('%Y%m%dT%H%M%S.%f')
        camera = '/SRV/DeviceIpint.1/SourceEndpoint.video:0:0/'
        parts = path.split('/')
        if path.startswith('/archive/contents/intervals' + camera):  # one a page, the newest first, when the end stands first
            end, start = read(parts[-2]), read(parts[-1])
            found = inside(start, end)[::-1]
            return self.answer(200, {'intervals': [{'begin': tell(a), 'end': tell(b)} for a, b in found[:1]], 'more': len(found) > 1})
        if self.command == 'POST' and path.startswith('/export/archive' + camera):
            name = self.job_new(read(parts[-2]), read(parts[-1]))
            return self.answer(202, b'', 'text/plain', [('Location', f'http://elsewhere.example/export/{name}')])
        name = parts[2]
        if self.command == 'DELETE':
            return self.answer(204 if jobs.pop(name, None) else 404, b'')
        if parts[3] == 'status':
            state = self.job_state(name)
            if state == 'gone':
                return self.answer(404, b'', 'text/plain')
            number = {'queued': 0, 'working': 1, 'done': 2, 'fail': 3, 'nothing': 6}[state]
            return self.answer(200, {'id': name, 'state': number, 'progress': 0.5, 'error': '', 'files': ['a [b].mp4'] if number == 2 else []})
        return self.send(self.render(*jobs[name][:2]) if q['name'] == 'a [b].mp4' else None)

    def trassir(self, path, q):
        said = self.said
        if path == '/login':
            good = (q.get('username'), q.get('password')) == ('anna', 'pass word')
            tokens.append('sid%d' % len(tokens))
            return self.answer(200, {'success': 1, 'sid': tokens[-1]} if good else {'success': 0, 'error_code': 'invalid username or password'})
        if not tokens or q.get('sid') != tokens[-1]:
            return self.answer(200, {'success': 0, 'error_code': 'no session'})
        if path == '/jit-export-create-task':
            if len(made) == 1:  # the session ends once, in the middle
                tokens.append('another')
                made.append('none')
                return self.answer(200, {'success': 0, 'error_code': 'no session'})
            shift = 3 * 3600 if said['resource_guid'] == 'local' else 0
            return self.answer(200, {'success': '1', 'task_id': self.job_new(said['start_ts'] / 1e6 - shift, said['end_ts'] / 1e6 - shift)})
        if path == '/jit-export-task-status':
            state = self.job_state(said['task_id'])
            if state in ('gone', 'fail'):
                return self.answer(200, {'success': 0, 'error_code': 'no task'})
            return self.answer(200, {'success': 1, 'active': state in ('done', 'nothing'), 'done': state == 'nothing', 'progress': 3, 'sended': 30456})
        if path == '/jit-export-cancel-task':
            return self.answer(200, {'success': int(jobs.pop(said['task_id'], None) is not None)})
        return self.answer(200, b'', 'video/mp4') if mode == 'nothing' else self.send(self.render(*jobs[q['task_id']][:2]))

    def login(self, path, q):
        return self.answer(200, b'<html>Please log in</html>', 'text/html')

    def do_GET(self):
        path, _, query = self.path.partition('?')
        path = path.replace('%2F', '%252F') if kind == 'shinobi' else path
        if path == '/jobs':
            return self.answer(200, [len(jobs), len(made)])
        try:
            getattr(self, kind)(urllib.parse.unquote(path), dict(urllib.parse.parse_qsl(query)))
        except Exception as trouble:
            print(repr(trouble), flush=True)
            self.answer(500, {})

    def do_DELETE(self):
        self.do_GET()

    def do_POST(self):
        said = self.rfile.read(int(self.headers['Content-Length']))
        if kind in ('axxon', 'trassir'):
            self.said = json.loads(said)
            return self.do_GET()
        if kind.startswith('hik'):
            return self.hik_post(said)
        said = json.loads(said)
        if kind == 'axis' and self.path == '/axis-cgi/time.cgi' and said['method'] == 'getDateTimeInfo':
            if not self.is_known():
                return self.answer(401, b'', headers=[('WWW-Authenticate', self.REALM)])
            now = datetime.datetime.utcfromtimestamp(time.time() + 37)
            return self.answer(200, {'apiVersion': '1.0', 'method': 'getDateTimeInfo', 'data': {
                'dateTime': now.strftime('%Y-%m-%dT%H:%M:%SZ'), 'dstEnabled': True, 'timeZone': 'Europe/Stockholm',
                'localDateTime': (now + datetime.timedelta(hours=2)).strftime('%Y-%m-%dT%H:%M:%S')}})
        moonfire = kind == 'moonfire'
        if said != {'username' if moonfire else 'user': 'anna', 'password': 'qu"ote'}:
            return self.answer(403 if moonfire else 401, {'message': 'Login failed'})
        tokens.append(f'token{len(tokens)}{port}')
        self.answer(204 if moonfire else 200, b'' if moonfire else {},
                    headers=[('Set-Cookie', f'{"s" if moonfire else "frigate_token"}={tokens[-1]}; HttpOnly; Path=/')])


server = http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler)
if len(sys.argv) > 5:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[5] + '/cert.pem', sys.argv[5] + '/key.pem')
    server.socket = tls.wrap_socket(server.socket, server_side=True)
server.serve_forever()

"""A recorder that replays over RTSP, interleaved in one TCP connection: ONVIF replay (clock ranges, each frame with its
time) or a start in the URL and real time. Shaped by the ONVIF streaming specification and what is known of recorders; none
is the product itself. It holds two stretches of the same film, 60 s each, with 5 s of nothing between them.
replay.py PORT FILM FROM [name=value...]: FILM is without B-frames, FROM the first second, seconds since 1970; options below."""
import base64, calendar, hashlib, re, select, socket, struct, subprocess, sys, threading, time, urllib.parse

DEFAULTS = {
    'rate': '10',       # frames a second of the film
    'mode': 'onvif',    # or plain: the start stands in the URL, npt ranges, real time
    'pace': '1',        # how much faster than real time where that is kept
    'require': 'setup', # where Require: onvif-replay is taken: setup (551 to it in PLAY), play, or nowhere
    'user': '', 'password': '',
    'timeout': '60',    # of a session, seconds; a replay in real time ends when nothing was asked for so long
    'end': 'silence',   # or close, after the last frame
    'fault': '',        # see faults() and where they stand
    'zone': '0',        # hours east of UTC of the times in URLs
}
NTP = 2208988800  # 1900 to 1970
GOOD = 'RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\n'
HARM = {  # fault=NAME@METHOD: what is answered to it; see harm()
    'header': GOOD + 'X: yREPEAT' + 'y' * 4000,
    'headers': GOOD + 'REPEATX: y\r\n' + 'X: y\r\n' * 500,
    'letter': GOOD + 'X: REPEATy',
    'below': GOOD + 'Content-Type: application/sdp\r\nContent-Length: -5\r\n\r\nv=0\r\n',
    'huge': GOOD + 'Content-Type: application/sdp\r\nContent-Length: 9223372036854775807\r\n\r\nREPEAT' + 'v=0\r\n' * 500,
    'beyond': GOOD + 'Content-Type: application/sdp\r\nContent-Length: 99999999999999999999999\r\n\r\nv=0\r\n',
    'body': GOOD + 'Content-Type: application/sdp\r\nContent-Length: 100000000\r\n\r\nREPEAT' + 'a=x\r\n' * 500,
    'away': 'RTSP/1.0 302 Moved\r\nCSeq: CSEQ\r\nLocation: rtsp://192.0.2.1/x\r\n\r\n',
    'http': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    'frames': 'REPEAT' + '$\0\0\1x' * 500,
    'cseq': 'RTSP/1.0 200 OK\r\nCSeq: 77\r\n\r\n',
}


def annexb(film):
    kind = subprocess.run(['ffprobe', '-v', 'error', '-select_streams', 'v', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0', film],
                          stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    kind = 'h265' if kind == 'hevc' else kind
    raw = subprocess.run(['ffmpeg', '-nostdin', '-v', 'error', '-i', film, '-map', '0:v:0', '-c', 'copy',
                          '-f', 'hevc' if kind == 'h265' else 'h264', '-'], stdout=subprocess.PIPE, check=True).stdout
    return kind, [nal.rstrip(b'\0') for nal in re.split(b'\0\0\1', raw)[1:]]


class Film:
    """Access units in order, and what the SDP says of them."""

    def __init__(self, path, rate):
        self.kind, nals = annexb(path)
        self.rate, self.units, self.sets = rate, [], []
        pending = []
        for nal in nals:
            h264 = self.kind == 'h264'
            number = nal[0] & 31 if h264 else nal[0] >> 1 & 63
            pending.append(nal)
            if number in ((7, 8) if h264 else (32, 33, 34)) and nal not in self.sets:
                self.sets.append(nal)
            if not (number in (1, 5) if h264 else number < 32):
                continue
            if nal[1 if h264 else 2] & 0x80:  # the first slice of a picture
                self.units.append([number == 5 if h264 else 16 <= number <= 21, pending])
            else:
                self.units[-1][1].extend(pending)
            pending = []

    def sdp(self, control):
        words = [base64.b64encode(s).decode() for s in self.sets]
        if self.kind == 'h264':
            fmtp = f'packetization-mode=1;profile-level-id={self.sets[0][1:4].hex()};sprop-parameter-sets={",".join(words)}'
        else:
            fmtp = ';'.join(f'sprop-{n}={w}' for n, w in zip(('vps', 'sps', 'pps'), words))
        return ('v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=replay\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n'
                f'm=video 0 RTP/AVP 96\r\na=rtpmap:96 {self.kind.upper()}/90000\r\na=fmtp:96 {fmtp}\r\na=control:{control}\r\n'
                'm=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:trackID=2\r\n')

    def payloads(self, nals, room=1300):
        for nal in nals:
            if len(nal) <= room:
                yield nal
                continue
            if self.kind == 'h264':
                head, kind, rest = bytes([nal[0] & 0xe0 | 28]), nal[0] & 31, nal[1:]
            else:
                head, kind, rest = bytes([nal[0] & 0x81 | 49 << 1, nal[1]]), nal[0] >> 1 & 63, nal[2:]
            for at in range(0, len(rest), room):
                flags = (0x80 if at == 0 else 0) | (0x40 if at + room >= len(rest) else 0)
                yield head + bytes([flags | kind]) + rest[at:at + room]


class Replay:
    """One recorder: a film and its times."""

    def __init__(self, film, begin, options):
        self.options = {**DEFAULTS, **options}
        self.film = Film(film, float(self.options['rate']))
        length = len(self.film.units) / self.film.rate
        self.spans = [(begin, begin + length), (begin + length + 5, begin + 2 * length + 5)]

    between = {  # put between two frames
        'short': b''.join(b'$\0' + struct.pack('>H', n) + b'\x80' * n for n in range(16)),
        'long': b'$\0\xff\xff\x80',  # and what follows is swallowed by it
        'junk': bytes(range(256)).replace(b'$', b'') * 64,
        'channel': b''.join(bytes([36, n, 0, 4]) + b'abcd' for n in range(1, 256)),
        'extension': b'$\0' + struct.pack('>HBBHIIHH', 16, 0x90, 96, 1, 5, 5, 0xabac, 0xffff),
        'padding': b'$\0' + struct.pack('>HBBHIIB', 13, 0xaf, 96, 1, 5, 5, 255),
    }

    def frames(self, t0, t1, keys_only):
        """(time, key, nals, first of a stretch, last of a stretch), from the key frame at or before t0."""
        for a, b in self.spans:
            if b <= t0 or a >= t1:
                continue
            first = max(0, int((max(t0, a) - a) * self.film.rate + 1e-6))
            while not self.film.units[first][0]:
                first -= 1
            for i in range(first, len(self.film.units)):
                at = a + i / self.film.rate
                key, nals = self.film.units[i]
                if at >= t1:
                    break
                if key or not keys_only:
                    yield at, key, nals, i == 0, i + 1 == len(self.film.units)

    def serve(self, listener):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=Session(self, connection).run, daemon=True).start()


def parse_clock(text):
    whole, _, rest = text.rstrip('Z').partition('.')
    return calendar.timegm(time.strptime(whole, '%Y%m%dT%H%M%S')) + float('0.' + (rest or '0'))


def format_clock(t):
    return time.strftime('%Y%m%dT%H%M%S', time.gmtime(t)) + f'.{int(t % 1 * 1000):03d}Z'


class Session:
    def __init__(self, replay, connection):
        self.replay, self.options, self.socket = replay, replay.options, connection
        self.playing, self.sequence, self.unread = False, 4000, b''

    def run(self):
        try:
            while self.step():
                pass
        except (ConnectionError, OSError):
            pass
        finally:
            self.socket.close()

    def read_request(self):
        while True:
            while self.unread[:1] == b'$' and len(self.unread) >= 4:  # receiver reports
                size = 4 + struct.unpack('>H', self.unread[2:4])[0]
                if len(self.unread) < size:
                    break
                self.unread = self.unread[size:]
            head, found, rest = self.unread.partition(b'\r\n\r\n')
            if found and head[:1] != b'$':
                self.unread = rest
                lines = head.decode().split('\r\n')
                method, url, _ = lines[0].split(' ', 2)
                headers = {k.strip().lower(): v.strip() for k, _, v in (l.partition(':') for l in lines[1:])}
                print(method, url, {k: v for k, v in headers.items() if k != 'authorization'}, flush=True)
                return method, url, headers
            part = self.socket.recv(65536)
            if not part:
                return None
            self.unread += part

    def answer(self, status, headers, extra=(), body=''):
        lines = [f'RTSP/1.0 {status} Word', f'CSeq: {headers["cseq"]}', 'Date: ' + time.strftime('%a, %d %b %Y %H:%M:%S GMT', time.gmtime()), *extra]
        if body:
            lines += ['Content-Type: application/sdp', f'Content-Length: {len(body)}']
        self.socket.sendall(('\r\n'.join(lines) + '\r\n\r\n' + body).encode())
        return True

    def allowed(self, method, headers):
        user, password = self.options['user'], self.options['password']
        words = dict(re.findall(r'(\w+)="?([^",]*)"?', headers.get('authorization', '')))
        if not user:
            return True
        if not headers.get('authorization', '').startswith('Digest') or words.get('username') != user or words.get('nonce') != 'n0nce':
            return False
        md5 = lambda text: hashlib.md5(text.encode()).hexdigest()
        return words['response'] == md5(f'{md5(f"{user}:recorder:{password}")}:n0nce:{md5(method + ":" + words["uri"])}')

    def harm(self, answer):
        """An answer that no recorder should give; what stands behind the word REPEAT without end, by itself."""
        begin, again, more = answer.partition(b'REPEAT')
        self.heard = time.monotonic()
        self.socket.sendall(begin)
        while again:
            self.socket.sendall(more)
            if len(more) == 1 and not self.wait(time.monotonic() + 0.05):
                return False
        return True

    def step(self):
        request = self.read_request()
        if not request:
            return False
        method, url, headers = request
        fault, _, where = self.options['fault'].partition('@')
        if method == where and fault in HARM:
            return self.harm(HARM[fault].replace('CSEQ', headers['cseq']).encode())
        if fault.isdigit() and method == (where or 'PLAY'):
            return self.answer(fault, headers, ['Retry-After: 7'] if fault == '503' else [])
        if method != 'OPTIONS' and not self.allowed(method, headers):
            return self.answer(401, headers, ['WWW-Authenticate: Digest realm="recorder", nonce="n0nce"'])
        taken = {'setup': ['SETUP'], 'play': ['SETUP', 'PLAY'], 'nowhere': []}[self.options['require']]
        if 'require' in headers and method not in taken:
            return self.answer(551, headers, ['Unsupported: ' + headers['require']])
        if method == 'DESCRIBE':
            if fault == 'early':  # before anything is described or set up
                self.socket.sendall(b'$\0' + struct.pack('>HBBHIIB', 13, 0x80, 0, 1, 5, 5, 5))
            body = self.replay.film.sdp('trackID=1')
            if fault == 'sdp':
                body = 'm=video 0 RTP/AVP 96\r\na=rtpmap:96 \xff\xff/\r\na=fmtp:' + 'A' * 3000
            if fault == 'codec':
                body = body.replace('H264', 'VP8')
            self.described = url
            base = url.partition('?')[0].rstrip('/') + '/' if fault != 'elsewhere' else 'rtsp://192.0.2.1:554/x/'
            return self.answer(200, headers, [f'Content-Base: {base}'], body)
        if method == 'SETUP':
            self.url = url
            return self.answer(200, headers, [f'Session: 12345678;timeout={self.options["timeout"]}', 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=DEADBEEF'])
        if method == 'PLAY':
            return self.play(headers)
        if method == 'TEARDOWN':
            self.answer(200, headers)
            return False
        return self.answer(200, headers, ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN'])

    def times_of(self, headers):
        """From when until when, and the times that the answer tells; None when nothing is there."""
        given = headers.get('range', '')
        if self.options['mode'] == 'onvif':
            if not given.startswith('clock='):
                return None
            a, _, b = given[6:].partition('-')
            return parse_clock(a), parse_clock(b) if b else 1e12
        q = dict(urllib.parse.parse_qsl(self.described.partition('?')[2]))
        shift = float(self.options['zone']) * 3600
        return tuple(parse_clock(q[n].replace('_', '')) - shift for n in ('starttime', 'endtime'))

    def play(self, headers):
        times = self.times_of(headers)
        frames = times and list(self.replay.frames(*times, headers.get('frames', '').startswith('intra')))
        if not frames:
            return self.answer(457, headers)
        onvif = self.options['mode'] == 'onvif'
        told = f'clock={format_clock(frames[0][0])}-{format_clock(times[1])}' if onvif else 'npt=0-'
        self.stamp0, self.time0 = 1234567, frames[0][0]
        self.answer(200, headers, ['Session: 12345678', f'Range: {told}',
                                   f'RTP-Info: url={self.url};seq={self.sequence};rtptime={self.stamp0}'])
        fast = onvif and headers.get('rate-control') == 'no'
        return self.stream(frames, fast, int(headers['cseq']) & 255)

    def stream(self, frames, fast, cseq):
        fault, begun = self.options['fault'], time.monotonic()
        self.heard = begun
        self.report()
        for i, (at, key, nals, first, last) in enumerate(frames):
            if not fast and not self.wait(begun + (at - self.time0) / float(self.options['pace'])):
                return False
            if fault == 'close' and i == len(frames) // 2:
                return False
            if i == len(frames) // 2 and fault in self.replay.between:
                self.socket.sendall(self.replay.between[fault])
            if fault == 'numbers':  # wild ones
                self.sequence = i * 40503
            if fault in ('stamps', 'times') and i == len(frames) // 2:  # a day off
                self.stamp0, at = self.stamp0 + 86400 * 90000 * (fault == 'stamps'), at - 86400 * (fault == 'times')
            while fault == 'trickle' and i == len(frames) // 2:
                self.send_frame(at, nals, 0, cseq)
                if not self.wait(time.monotonic() + 0.2):
                    return False
            while fault == 'endless' and i == len(frames) // 2:
                self.send_frame(at, nals, 0, cseq)
            final = i + 1 == len(frames) and fault not in ('no-t', 'chatter')
            flags = key << 7 | (last or final) << 6 | (first and i > 0) << 5 | final << 4
            self.send_frame(at, nals, flags, cseq)
        while fault == 'chatter':  # about a replay that has ended, without end
            self.report()
            if not self.wait(time.monotonic() + 0.3):
                return False
        return self.options['end'] != 'close'

    def wait(self, until):
        """For the time of the next frame; requests are answered meanwhile. False when the session is over."""
        while True:
            left = until - time.monotonic()
            if time.monotonic() - self.heard > float(self.options['timeout']):
                return False
            if not select.select([self.socket], [], [], max(0, left))[0]:
                return True
            request = self.read_request()
            self.heard = time.monotonic()
            if not request or request[0] == 'TEARDOWN':
                return request and self.answer(200, request[2]) and False
            self.answer(200, request[2])

    def report(self):  # RTCP is not for archives
        self.socket.sendall(b'$\1' + struct.pack('>H', 8) + b'\x81\xc9\0\1\0\0\0\0')

    def send_frame(self, at, nals, flags, cseq):
        stamp = (self.stamp0 + round((at - self.time0) * 90000)) & 0xffffffff
        ntp = (int(at) + NTP) << 32 | int(at % 1 * (1 << 32))
        payloads = list(self.replay.film.payloads(nals))
        for i, payload in enumerate(payloads):
            extended = self.options['mode'] == 'onvif' and i == 0
            head = struct.pack('>BBHII', 0x90 if extended else 0x80, 96 | (i + 1 == len(payloads)) << 7,
                               self.sequence & 0xffff, stamp, 0xdeadbeef)
            if extended:
                head += struct.pack('>HHQBBH', 0xabac, 3, ntp, flags, cseq, 0)
            self.sequence += 1
            self.socket.sendall(b'$\0' + struct.pack('>H', len(head) + len(payload)) + head + payload)


def listen(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(('127.0.0.1', port))
    listener.listen(8)
    return listener


if __name__ == '__main__':
    made = Replay(sys.argv[2], int(sys.argv[3]), dict(a.split('=', 1) for a in sys.argv[4:]))
    made.serve(listen(int(sys.argv[1])))

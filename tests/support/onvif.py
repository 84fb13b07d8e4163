"""A recorder of ONVIF's profile G, shaped by its specifications: device, search and replay services over SOAP, and the
replay itself (replay.py). It is no product. Its clock runs 37 s ahead; it holds two searches at a time, and names itself by
an address that only it knows, as behind a router.
onvif.py PORT FILM FROM [name=value...]: as replay.py, and: soap= old (no GetServices), bounds (no search for events),
search (no replay service), page (answers with a login page), cut (half an answer), tls (replays by rtsps); login= wsse, http or none."""
import base64, calendar, hashlib, http.server, re, sys, threading, time, xml.etree.ElementTree as ET
import replay

port, film, begin = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
options = dict(a.split('=', 1) for a in sys.argv[4:])
soap, login = options.pop('soap', ''), options.pop('login', 'wsse')
AHEAD = 37
recorder = replay.Replay(film, begin, options)
rtsp = int(options.pop('rtsp', 0))  # listen there, and name another port
listener = replay.listen(rtsp)
threading.Thread(target=recorder.serve, args=(listener,), daemon=True).start()
searches = {}
AWAY = 'http://192.0.2.7:8899'  # not to be asked


def iso(t):
    return time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(t)) + f'.{int(t % 1 * 1000 + .5):03d}Z'


def seconds(text):
    whole, _, rest = text.rstrip('Z').partition('.')
    return calendar.timegm(time.strptime(whole, '%Y-%m-%dT%H:%M:%S')) + float('0.' + (rest or '0'))


def local(element):
    return element.tag.rpartition('}')[2]


class Fault(Exception):
    pass


def track(token, kind):
    a, b = recorder.spans[0][0], recorder.spans[-1][1]
    return (f'<tt:Track><tt:TrackToken>{token}</tt:TrackToken><tt:TrackType>{kind}</tt:TrackType><tt:Description/>'
            f'<tt:DataFrom>{iso(a)}</tt:DataFrom><tt:DataTo>{iso(b)}</tt:DataTo></tt:Track>')


def information():
    a, b = recorder.spans[0][0], recorder.spans[-1][1]
    return ('<tt:RecordingToken>REC&amp;1</tt:RecordingToken><tt:Source><tt:SourceId>s</tt:SourceId><tt:Name>Till 1</tt:Name></tt:Source>'
            f'<tt:EarliestRecording>{iso(a)}</tt:EarliestRecording><tt:LatestRecording>{iso(b)}</tt:LatestRecording>'
            + track('A1', 'Audio') + track('V1', 'Video') + '<tt:RecordingStatus>Stopped</tt:RecordingStatus>')


def events(t0, t1):
    made = []
    for token in ('A1', 'V1'):
        before = any(a <= t0 < b for a, b in recorder.spans)
        made.append((t0, token, before, True))
        if token == 'A1':  # what happens to the sound is not asked
            made.append((t0 + 1, token, not before, False))
            continue
        for a, b in recorder.spans:
            made += [(t, token, state, False) for t, state in ((a, True), (b, False)) if t0 < t < t1]
    return [f'<tt:Result><tt:RecordingToken>REC&amp;1</tt:RecordingToken><tt:TrackToken>{token}</tt:TrackToken><tt:Time>{iso(t)}</tt:Time>'
            '<tt:Event><wsnt:Topic Dialect="c">tns1:RecordingHistory/Track/State</wsnt:Topic><wsnt:Message>'
            f'<tt:Message UtcTime="{iso(t)}"><tt:Source><tt:SimpleItem Name="RecordingToken" Value="REC&amp;1"/></tt:Source>'
            f'<tt:Data><tt:SimpleItem Name="IsDataPresent" Value="{str(state).lower()}"/></tt:Data></tt:Message></wsnt:Message></tt:Event>'
            f'<tt:StartStateEvent>{str(start).lower()}</tt:StartStateEvent></tt:Result>' for t, token, state, start in made]


def begin_search(rows):
    if len(searches) == 2:
        raise Fault('s:Receiver', 'ter:Action', 'too many searches')
    token = f'S{time.monotonic_ns()}'
    searches[token] = rows
    return f'<SearchToken>{token}</SearchToken>'


def results(name, words):
    rows = searches[words['SearchToken']]
    part, searches[words['SearchToken']] = rows[:3], rows[3:]
    state = 'Searching' if rows[3:] else 'Completed'
    return f'<{name}Response><ResultList><tt:SearchState>{state}</tt:SearchState>{"".join(part)}</ResultList></{name}Response>'


def check_token(words):
    if words.get('RecordingToken', words.get('IncludedRecordings')) != 'REC&1':
        raise Fault('s:Sender', 'ter:InvalidArgVal', 'Token not found')


def answer(name, words):
    if name == 'GetSystemDateAndTime':
        t = time.gmtime(time.time() + AHEAD)
        return ('<SystemDateAndTime><tt:UTCDateTime>'
                f'<tt:Time><tt:Hour>{t.tm_hour}</tt:Hour><tt:Minute>{t.tm_min}</tt:Minute><tt:Second>{t.tm_sec}</tt:Second></tt:Time>'
                f'<tt:Date><tt:Year>{t.tm_year}</tt:Year><tt:Month>{t.tm_mon}</tt:Month><tt:Day>{t.tm_mday}</tt:Day></tt:Date>'
                '</tt:UTCDateTime></SystemDateAndTime>')
    services = [('search', f'{AWAY}/onvif/search'), ('replay', f'{AWAY}/onvif/replay')][:1 if soap == 'search' else 2]
    if name == 'GetServices' and soap != 'old':
        return ''.join(f'<Service><Namespace>http://www.onvif.org/ver10/{n}/wsdl</Namespace><XAddr>{x}</XAddr></Service>'
                       for n, x in [('device', AWAY + '/onvif/device_service'), *services])
    if name == 'GetCapabilities':
        return ('<Capabilities><tt:Device><tt:XAddr>x</tt:XAddr></tt:Device><tt:Extension>'
                + ''.join(f'<tt:{n.title()}><tt:XAddr>{x}</tt:XAddr></tt:{n.title()}>' for n, x in services) + '</tt:Extension></Capabilities>')
    if name == 'GetRecordingInformation':
        check_token(words)
        return f'<RecordingInformation>{information()}</RecordingInformation>'
    if name == 'FindRecordings':
        return begin_search([f'<tt:RecordingInformation>{information()}</tt:RecordingInformation>'])
    if name == 'FindEvents' and soap != 'bounds':
        check_token(words)
        return begin_search(events(seconds(words['StartPoint']), seconds(words['EndPoint'])))
    if name in ('GetRecordingSearchResults', 'GetEventSearchResults'):
        return results(name, words)
    if name == 'EndSearch':
        del searches[words['SearchToken']]
        return '<Endpoint/>'
    if name == 'GetReplayUri':
        check_token(words)
        if rtsp or soap == 'tls':
            return f'<Uri>{"rtsps" if soap == "tls" else "rtsp"}://192.0.2.7:554/replay?token=REC%261</Uri>'
        return f'<Uri>rtsp://192.0.2.7:{listener.getsockname()[1]}/replay?token=REC%261</Uri>'
    raise Fault('s:Receiver', 'ter:ActionNotSupported', 'Not implemented')


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def check(self, name, words):
        """The token's digest, over the device's own time."""
        user, password = options.get('user', ''), options.get('password', '')
        if name == 'GetSystemDateAndTime' or not user or login == 'none':
            return
        if login == 'http':
            given = dict(re.findall(r'(\w+)="?([^",]*)"?', self.headers.get('Authorization', '')))
            md5 = lambda text: hashlib.md5(text.encode()).hexdigest()
            if given.get('response') != md5(f'{md5(f"{user}:onvif:{password}")}:n0nce:{md5("POST:" + self.path)}'):
                raise PermissionError
            return
        made = hashlib.sha1(base64.b64decode(words.get('Nonce', '')) + (words.get('Created', '') + password).encode()).digest()
        if words.get('Username') != user or base64.b64decode(words.get('Password', '')) != made \
                or abs(seconds(words['Created']) - time.time() - AHEAD) > 3:
            raise Fault('s:Sender', 'ter:NotAuthorized', 'Sender not authorized')

    def do_POST(self):
        request = ET.fromstring(self.rfile.read(int(self.headers['Content-Length'])))
        words = {local(e): e.text or '' for e in request.iter()}
        name = local(next(e for e in request if local(e) == 'Body')[0])
        status, extra = 200, []
        print(self.path, name, flush=True)
        try:
            self.check(name, words)
            made = answer(name, words)
            body = made if made.startswith(f'<{name}Response') else f'<{name}Response>{made}</{name}Response>'
        except PermissionError:
            status, body, extra = 401, '', [('WWW-Authenticate', 'Digest realm="onvif", nonce="n0nce"')]
        except Fault as fault:
            outer, inner, reason = fault.args
            status = 400
            body = (f'<s:Fault><s:Code><s:Value>{outer}</s:Value><s:Subcode><s:Value>{inner}</s:Value></s:Subcode></s:Code>'
                    f'<s:Reason><s:Text xml:lang="en">{reason}</s:Text></s:Reason></s:Fault>')
        text = ('<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
                'xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" '
                f'xmlns:ter="http://www.onvif.org/ver10/error"><s:Body>{body}</s:Body></s:Envelope>').encode()
        if soap == 'page':
            status, text = 200, b'<html><body>Please log in<br></body></html>'
        if soap == 'cut' and name != 'GetSystemDateAndTime':
            text = text[:len(text) // 2]
        self.send_response(status)
        for header, value in [('Content-Type', 'application/soap+xml'), ('Content-Length', str(len(text))), *extra]:
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(text)


http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler).serve_forever()

"""A strict S3 server for tests: serves a folder's files as the objects of one bucket and answers only
requests whose Signature Version 4 is right to the byte. Written from AWS's description with
Python's own hmac and urllib: it shares nothing with the program under test. Pages hold
two keys, or as many as a sixth argument says. While a file `denied` lies in the folder, no object is
given: its first line is the refusal's code, its second the message. Lists are told on the standard output."""
import datetime, hashlib, hmac, http.server, os, sys, urllib.parse
from xml.sax.saxutils import escape

port, root, key_id, secret, bucket = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5]
page = int(sys.argv[6]) if len(sys.argv) > 6 else 2
REGION = 'eu-test-1'


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def answer(self, status, body=b'', headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, code, message=''):
        message = message and f'<Message>{escape(message)}</Message>'
        self.answer(403, f'<?xml version="1.0"?><Error><Code>{code}</Code>{message}</Error>'.encode())

    def is_signed(self):
        path, _, query = self.path.partition('?')
        auth = self.headers.get('Authorization', '')
        if not auth.startswith('AWS4-HMAC-SHA256 '):
            return False
        fields = dict(part.strip().split('=', 1) for part in auth[17:].split(','))
        stamp = self.headers['x-amz-date']
        made = datetime.datetime.strptime(stamp, '%Y%m%dT%H%M%SZ')
        if abs((datetime.datetime.utcnow() - made).total_seconds()) > 900:
            return False
        scope = f'{stamp[:8]}/{REGION}/s3/aws4_request'
        if fields['Credential'] != f'{key_id}/{scope}':
            return False
        # What the client must have meant: decoded once, encoded the one right way.
        uri = urllib.parse.quote(urllib.parse.unquote(path), safe='/-._~')
        pairs = sorted((urllib.parse.quote(k, safe='-._~'), urllib.parse.quote(v, safe='-._~'))
                       for k, v in urllib.parse.parse_qsl(query, keep_blank_values=True))
        names = fields['SignedHeaders'].split(';')
        if not {'host', 'x-amz-date', 'x-amz-content-sha256'} <= set(names):
            return False
        lines = ''.join(f'{n}:{self.headers[n].strip()}\n' for n in names)
        canonical = '\n'.join(['GET', uri, '&'.join(f'{k}={v}' for k, v in pairs), lines,
                               ';'.join(names), self.headers['x-amz-content-sha256']])
        text = '\n'.join(['AWS4-HMAC-SHA256', stamp, scope,
                          hashlib.sha256(canonical.encode()).hexdigest()])
        key = ('AWS4' + secret).encode()
        for part in scope.split('/'):
            key = sign(key, part)
        return hmac.compare_digest(sign(key, text).hex(), fields['Signature'])

    def do_GET(self):
        path, _, query = self.path.partition('?')
        if not self.is_signed():
            return self.refuse('SignatureDoesNotMatch')
        key = urllib.parse.unquote(path)[1:]
        if self.headers['Host'].split('.')[0] != bucket:  # path style
            name, _, key = key.partition('/')
            if name != bucket:
                return self.answer(404, b'<Error><Code>NoSuchBucket</Code></Error>')
        if not key:
            return self.list(dict(urllib.parse.parse_qsl(query)))
        self.read(key)

    def list(self, asked):
        print('list', flush=True)
        prefix, after = asked.get('prefix', ''), asked.get('continuation-token') or asked.get('start-after', '')
        keys = []
        for folder, _, files in os.walk(root):
            below = os.path.relpath(folder, root)
            keys += [name if below == '.' else f'{below}/{name}' for name in files]
        keys = sorted(k for k in keys if k.startswith(prefix) and '/' not in k[len(prefix):] and k > after)
        out = '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        for k in keys[:page]:
            st = os.stat(os.path.join(root, k))
            when = datetime.datetime.utcfromtimestamp(st.st_mtime).strftime('%Y-%m-%dT%H:%M:%S.547Z')
            shown = urllib.parse.quote_plus(k, safe='/') if asked.get('encoding-type') == 'url' else escape(k)
            out += f'<Contents><Key>{shown}</Key><LastModified>{when}</LastModified><ETag>&quot;x&quot;</ETag><Size>{st.st_size}</Size></Contents>'
        more = len(keys) > page
        out += f'<IsTruncated>{str(more).lower()}</IsTruncated>'
        if more:
            out += f'<NextContinuationToken>{escape(keys[page - 1])}</NextContinuationToken>'
        self.answer(200, (out + '</ListBucketResult>').encode(), [('Content-Type', 'application/xml')])

    def read(self, key):
        denied = os.path.join(root, 'denied')
        if os.path.exists(denied):
            return self.refuse(*open(denied).read().splitlines())
        try:
            data = open(os.path.join(root, key), 'rb').read()
        except OSError:
            return self.answer(404, b'<Error><Code>NoSuchKey</Code></Error>')
        tag = '"' + hashlib.md5(data).hexdigest() + '"'
        asked = self.headers.get('Range')
        dated = ('Last-Modified', self.date_time_string(os.stat(os.path.join(root, key)).st_mtime))
        if not asked:
            return self.answer(200, data, [('ETag', tag), dated])
        low, high = (int(n) for n in asked[6:].split('-'))
        part = data[low:high + 1]
        self.answer(206, part, [('ETag', tag), dated, ('Content-Range', f'bytes {low}-{low + len(part) - 1}/{len(data)}')])


http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler).serve_forever()

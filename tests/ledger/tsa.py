"""A time stamping authority for tests: openssl ts behind HTTP on 127.0.0.1.

usage: tsa.py FOLDER    (made by tests/support/tsa.h; prints port and process id)
"""
import http.server
import os
import subprocess
import sys

folder = sys.argv[1]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"] != "application/timestamp-query" or self.path != "/tsa":
            self.send_error(400)
            return
        with open(os.path.join(folder, "http.tsq"), "wb") as file:
            file.write(body)
        subprocess.run(
            ["openssl", "ts", "-reply", "-config", "tsa.conf", "-queryfile", "http.tsq",
             "-out", "http.tsr"], cwd=folder, check=True, stderr=subprocess.DEVNULL)
        with open(os.path.join(folder, "http.tsr"), "rb") as file:
            reply = file.read()
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, os.getpid(), flush=True)
server.serve_forever()

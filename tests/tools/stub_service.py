"""A stand-in for a service, for the scripts that test the commands which ask one."""

import http.server
import ssl
import threading


class StubService:
    """Serves on loopback by a class of handlers, from entering it to leaving it; `url` says where."""

    def __init__(self, handler):
        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 256  # all connections may come at once

        self.server = Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def secure(self, certificate, key):
        """Speaks https; before it is entered."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = self.url.replace("http:", "https:")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

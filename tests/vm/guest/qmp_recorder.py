# SPDX-License-Identifier: MIT
"""A QMP socket with no QEMU behind it: takes input events and writes them down."""

import json
import pathlib
import socket
import tempfile
import threading


class QmpRecorder:
    """Says that the VM runs and has a tablet."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name) / "qmp.sock"
        self.events = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.folder.cleanup()

    def _serve(self):
        try:
            while True:
                connection, _ = self.listener.accept()
                with connection, connection.makefile("rw", encoding="utf-8") as stream:
                    self._talk(stream)
        except OSError:
            pass

    def _talk(self, stream):
        def say(message):
            stream.write(json.dumps(message) + "\r\n")
            stream.flush()

        say({"QMP": {"version": {"qemu": {"major": 9, "minor": 0, "micro": 0}, "package": ""}, "capabilities": []}})
        for line in stream:
            command = json.loads(line)
            if command["execute"] == "query-status":
                answer = {"status": "running", "running": True}
            elif command["execute"] == "query-mice":
                answer = [{"name": "tablet", "index": 1, "current": True, "absolute": True}]
            else:
                answer = {}
            if command["execute"] == "input-send-event":
                self.events += command["arguments"]["events"]
            say({"return": answer, "id": command.get("id")})

    def keys(self):
        """Such as ["a+", "a-"]."""
        return [event["data"]["key"]["data"] + ("+" if event["data"]["down"] else "-")
                for event in self.events if event["type"] == "key"]

    def places(self):
        return [(event["data"]["axis"], event["data"]["value"]) for event in self.events if event["type"] == "abs"]

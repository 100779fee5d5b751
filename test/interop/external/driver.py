"""A driver as somebody with pyserial writes one: line by line, the answer taken before its OK is read."""

import struct
import sys
import time

import serial


class Driver:
    def __init__(self, path):
        self.port = serial.Serial(path, 115200, timeout=2)

    def line(self):
        text = b""
        while True:
            byte = self.port.read()
            if not byte:
                raise TimeoutError(text)
            if byte in b"\r\n":
                if text:
                    return text.decode("ascii")
            else:
                text += byte

    def command(self, code, payload=b""):
        frame = bytes([code, len(payload)]) + payload
        parity = 0
        for byte in frame:
            parity ^= byte
        self.port.write(b"AT*CMD=" + (frame + bytes([parity])).hex().upper().encode() + b"\n")
        while True:
            text = self.line()
            if text.startswith("*CMD:"):
                break
        answer = bytes.fromhex(text[5:])
        parity = 0
        for byte in answer:
            parity ^= byte
        assert parity == 0, answer.hex()
        assert answer[0] == 0x01, answer.hex()
        return answer[2:-1]


driver = Driver(sys.argv[1])
print(driver.command(0xA1).decode("ascii"))
for size in range(0, 250, 7):
    data = bytes((size * 31 + i) % 256 for i in range(size))
    assert driver.command(0x0F, data) == data
driver.command(0x20, struct.pack("<BBq", 1, ord("l"), -9223372036854775808))
driver.command(0x20, struct.pack("<BBQ", 2, ord("L"), 18446744073709551615))
driver.command(0x20, struct.pack("<BBf4x", 3, ord("f"), 0.001))
driver.command(0x20, struct.pack("<BBi4xq", 4, ord("i"), -5, -4321))
driver.command(0x24)
while driver.command(0x25)[0] == 1:
    pass
assert driver.command(0x25) == b"\x00\x00"
print("sent", flush=True)
sys.stdin.readline()
deadline = time.monotonic() + 10
while driver.command(0x32)[1] == 0:
    assert time.monotonic() < deadline
channel, kind, value, offset = struct.unpack("<BB8sq", driver.command(0x30))
assert -10000 < offset <= 0, offset
print(channel, chr(kind), value.hex())
driver.port.close()

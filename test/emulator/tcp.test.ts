import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, it, vi } from "vitest";
import { listenTcp, type TcpEndpoint, type TcpListenOptions } from "../../emulator/bus/tcp.ts";
import type { ByteDuplex } from "../../protocol/bus.ts";
import { ended, everyByte, pattern, Received, sameBytes } from "../support/duplex.ts";
import { failsWith } from "../support/errors.ts";

const endpoints: TcpEndpoint[] = [];
const drivers: Socket[] = [];

async function listen(options: TcpListenOptions = { host: "127.0.0.1", port: 0 }): Promise<TcpEndpoint> {
  const endpoint = await listenTcp(options);
  endpoints.push(endpoint);
  return endpoint;
}

function portOf(uri: string): number {
  return Number(uri.slice(uri.lastIndexOf(":") + 1));
}

function nextConnection(endpoint: TcpEndpoint): Promise<ByteDuplex> {
  return new Promise((resolve) => {
    const remove = endpoint.onConnection((duplex) => {
      queueMicrotask(() => remove());
      resolve(duplex);
    });
  });
}

async function driver(endpoint: TcpEndpoint, host = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ host, port: portOf(endpoint.uri) });
  drivers.push(socket);
  await once(socket, "connect");
  return socket;
}

/** What the driver gets until its connection is ended, whole. */
async function allOf(socket: Socket): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}

afterEach(async () => {
  vi.useRealTimers();
  for (const socket of drivers.splice(0)) socket.destroy();
  for (const endpoint of endpoints.splice(0)) await endpoint.close();
});

describe("listenTcp", () => {
  it("reports the free port that it took, and passes all 256 byte values both ways", async () => {
    const endpoint = await listen();
    expect(endpoint.uri).toMatch(/^tcp:127\.0\.0\.1:[1-9][0-9]*$/);
    const connection = nextConnection(endpoint);
    const socket = await driver(endpoint);
    const duplex = await connection;
    const received = new Received(duplex);
    socket.write(everyByte);
    expect(await received.take(256)).toEqual(everyByte);
    duplex.write(everyByte);
    await duplex.close();
    expect(await allOf(socket)).toEqual(everyByte);
  });

  it("delivers what was written last before a close, 100 KB of it", async () => {
    const endpoint = await listen();
    const connection = nextConnection(endpoint);
    const socket = await driver(endpoint);
    const duplex = await connection;
    const burst = pattern(102_400);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const all = allOf(socket);
    duplex.write(burst);
    await duplex.close();
    expect(sameBytes(await all, burst)).toBe(true);
  });

  it("lets the newest driver take over: the one before ends first, and is ended", async () => {
    const endpoint = await listen();
    const order: string[] = [];
    let number = 0;
    const duplexes: ByteDuplex[] = [];
    endpoint.onConnection((duplex) => {
      const mine = ++number;
      order.push(`${mine} here`);
      duplexes.push(duplex);
      duplex.onClose((reason) => order.push(`${mine} gone ${reason?.code}`));
    });
    const older = await driver(endpoint);
    const olderEnded = allOf(older);
    const newer = await driver(endpoint);
    expect(await olderEnded).toEqual(new Uint8Array());
    expect(order).toEqual(["1 here", "1 gone PORT_LOST", "2 here"]);
    const [first, second] = duplexes;
    first?.write(Uint8Array.of(1));
    second?.write(Uint8Array.of(2));
    const [bytes] = await once(newer, "data");
    expect([...bytes]).toEqual([2]);
  });

  it("says PORT_LOST when the driver leaves, and serves the next one", async () => {
    const endpoint = await listen();
    for (let round = 0; round < 3; round++) {
      const connection = nextConnection(endpoint);
      const socket = await driver(endpoint);
      const duplex = await connection;
      const received = new Received(duplex);
      const end = ended(duplex);
      socket.end(Uint8Array.of(round));
      expect(await received.take(1)).toEqual(Uint8Array.of(round));
      expect((await end)?.code).toBe("PORT_LOST");
    }
  });

  it("hands a driver that came early to the listener that comes late", async () => {
    const endpoint = await listen();
    const probe = nextConnection(endpoint);
    await driver(endpoint);
    const early = await probe;
    expect(await nextConnection(endpoint)).toBe(early);
  });

  it("does not call a listener that was removed", async () => {
    const endpoint = await listen();
    let calls = 0;
    endpoint.onConnection(() => calls++)();
    const connection = nextConnection(endpoint);
    await driver(endpoint);
    await connection;
    expect(calls).toBe(0);
  });

  it("drops what a driver that never reads does not take, instead of keeping it all", async () => {
    const endpoint = await listen();
    const connection = nextConnection(endpoint);
    const socket = await driver(endpoint);
    socket.pause();
    const duplex = await connection;
    const piece = new Uint8Array(1_000_003);
    // Far more than any system's socket buffers and ours together.
    for (let count = 0; count < 64; count++) duplex.write(piece);
    // However slow this machine is: the close does not lose its patience.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const closing = duplex.close();
    const { length } = await allOf(socket);
    await closing;
    expect(length).toBeLessThan(64 * piece.length);
    // Whole writes only, and each that was kept has arrived although the close came right behind.
    expect(length % piece.length).toBe(0);
  });

  it("close() ends the driver's connection without a reason and frees the port", async () => {
    const endpoint = await listen();
    const connection = nextConnection(endpoint);
    const socket = await driver(endpoint);
    const end = ended(await connection);
    const all = allOf(socket);
    await endpoint.close();
    await endpoint.close();
    expect(await end).toBeUndefined();
    expect(await all).toEqual(new Uint8Array());
    const again = await listen({ host: "127.0.0.1", port: portOf(endpoint.uri) });
    expect(again.uri).toBe(endpoint.uri);
  });

  it("close() does not wait for a driver that neither reads nor leaves", async () => {
    const endpoint = await listen();
    const connection = nextConnection(endpoint);
    const socket = await driver(endpoint);
    socket.pause();
    const duplex = await connection;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const piece = new Uint8Array(1024 * 1024);
    // More than the system takes, so that there is something left to wait for.
    for (let count = 0; count < 16; count++) duplex.write(piece);
    const closing = endpoint.close();
    await vi.advanceTimersByTimeAsync(1000);
    await closing;
    expect(socket.destroyed).toBe(false);
  });

  const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === "::1"),
  );
  it.skipIf(!hasIpv6)("writes an IPv6 host in brackets", async () => {
    const endpoint = await listen({ host: "::1", port: 0 });
    expect(endpoint.uri).toMatch(/^tcp:\[::1\]:[1-9][0-9]*$/);
    const connection = nextConnection(endpoint);
    await driver(endpoint, "::1");
    expect((await connection).name).toMatch(/^tcp:\[::1\]:[1-9][0-9]*$/);
  });

  it("says PORT_BUSY where another program listens", async () => {
    const other = createServer();
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const error = await failsWith("PORT_BUSY", listenTcp({ host: "127.0.0.1", port }));
    expect(error.message).toContain(`tcp:127.0.0.1:${port}`);
    expect(error.cause).toMatchObject({ code: "EADDRINUSE" });
    other.close();
    await once(other, "close");
  });

  it("says PORT_NOT_FOUND for an address that is not this machine's", async () => {
    // 192.0.2.0/24 is set aside for documentation: nobody has it.
    const error = await failsWith("PORT_NOT_FOUND", listenTcp({ host: "192.0.2.1", port: 0 }));
    expect(error.message).toContain("tcp:192.0.2.1:0");
  });

  it.each([-1, 65536, 1.5, Number.NaN])("refuses port %s", async (port) => {
    await failsWith("INVALID_ARGUMENT", listenTcp({ host: "127.0.0.1", port }));
  });

  it("refuses an empty host, which would mean every address", async () => {
    await failsWith("INVALID_ARGUMENT", listenTcp({ host: "", port: 0 }));
  });
});

import { once } from "node:events";
import { connect, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { createAuthority, startAwsIotEndpoint } from "../../../emulator/aws-iot/index.ts";
import { isSakuraError } from "../../../protocol/errors.ts";
import {
  CONNACK,
  CONNECT_A,
  connectClient,
  everything,
  hex,
  openRaw,
  recordEvents,
  registered,
  startEndpoint,
} from "./support.ts";

describe("listening", () => {
  it("is on 127.0.0.1, on a free port, with an authority of its own, where nothing else is said", async () => {
    const endpoint = await startAwsIotEndpoint();
    try {
      expect(endpoint.host).toBe("127.0.0.1");
      expect(endpoint.port).toBeGreaterThan(0);
      await connectClient(endpoint, await registered(endpoint, everything));
    } finally {
      await endpoint.close();
    }
  });

  it("is where localhost is, whichever address that is for a client", async (context) => {
    const endpoint = await startEndpoint({ host: "localhost" });
    const identity = await registered(endpoint, everything);
    for (const host of ["127.0.0.1", "::1"]) {
      if (host === "::1" && !(await hasIpv6Loopback())) context.skip();
      const raw = openRaw(endpoint, identity, { host });
      raw.socket.write(CONNECT_A);
      expect(await raw.received(4)).toBe(CONNACK);
    }
  });

  it("says when the port is taken, and leaves nothing behind", async () => {
    const first = await startEndpoint();
    const again = startAwsIotEndpoint({ port: first.port, authority: first.authority });
    await expect(again).rejects.toSatisfy((error) => isSakuraError(error, "PORT_BUSY"));
  });

  it.each([-1, 1.5, 65_536, Number.NaN])("refuses the port %d", async (port) => {
    const starting = startAwsIotEndpoint({ port, authority: await createAuthority() });
    await expect(starting).rejects.toSatisfy((error) => isSakuraError(error, "INVALID_ARGUMENT"));
  });

  it("uses the region and account that it is given in its ARNs", async () => {
    const endpoint = await startEndpoint({ region: "us-west-2", account: "123456789012" });
    expect(endpoint.arnPrefix).toBe("arn:aws:iot:us-west-2:123456789012:");
  });
});

describe("clients that are none", () => {
  it("do not disturb: plain bytes, a connection that says nothing, one that goes in the handshake", async () => {
    const endpoint = await startEndpoint();
    const plain = connect(endpoint.port, endpoint.host);
    plain.on("error", () => undefined);
    plain.write("GET / HTTP/1.1\r\n\r\n");
    await once(plain.resume(), "close");
    const silent = connect(endpoint.port, endpoint.host);
    await once(silent, "connect");
    silent.destroy();
    // The beginning of a TLS record with a ClientHello in it.
    const half = connect(endpoint.port, endpoint.host);
    half.write(hex("16 03 01 02 00 01 00 01 fc 03 03"));
    await once(half, "connect");
    half.resetAndDestroy();
    await connectClient(endpoint, await registered(endpoint, everything));
  });

  it("are not told of as refused when they only look whether the port is open", async () => {
    const endpoint = await startEndpoint();
    const log = recordEvents(endpoint);
    const looking = connect(endpoint.port, endpoint.host);
    await once(looking, "connect");
    looking.end();
    await once(looking.resume(), "close");
    const raw = openRaw(endpoint, await registered(endpoint, everything));
    await once(raw.socket, "secureConnect");
    raw.socket.end();
    await raw.ended;
    await connectClient(endpoint, await registered(endpoint, everything));
    expect(log.all.map(({ type }) => type)).toEqual(["connected"]);
  });
});

describe("close", () => {
  it("ends connections in every state, tells of those that were connected, and frees the port", async () => {
    const endpoint = await startEndpoint({ host: "localhost" });
    const log = recordEvents(endpoint);
    const identity = await registered(endpoint, everything);
    const connected = openRaw(endpoint, identity);
    connected.socket.write(CONNECT_A);
    await connected.received(4);
    const secure = openRaw(endpoint, identity);
    await once(secure.socket, "secureConnect");
    const bare = connect(endpoint.port, "127.0.0.1");
    bare.on("error", () => undefined);
    await once(bare, "connect");
    const ends = [connected.ended, secure.ended, once(bare.resume(), "close")];

    const closing = endpoint.close();
    expect(endpoint.close()).toBe(closing);
    await closing;
    await Promise.all(ends);
    expect(log.all.map((event) => [event.type, "reason" in event && event.reason])).toEqual([
      ["connected", false],
      ["disconnected", "closing"],
    ]);

    const next = await startEndpoint({ host: "localhost", port: endpoint.port });
    expect(next.port).toBe(endpoint.port);
  });

  it("does not wait for a client that neither reads nor closes", async () => {
    const endpoint = await startEndpoint();
    const identity = await registered(endpoint, everything);
    const stuck = openRaw(endpoint, identity);
    stuck.socket.write(Buffer.concat([CONNECT_A, hex("82 06 0001 0001 61 00")]));
    await stuck.received(9);
    stuck.socket.pause();
    const sender = await connectClient(endpoint, identity);
    for (let i = 0; i < 20; i++) sender.publish("a", Buffer.alloc(100_000));
    await sender.publishAsync("b", "", { qos: 1 });
    await endpoint.close();
  });
});

async function hasIpv6Loopback(): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "::1", resolve));
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

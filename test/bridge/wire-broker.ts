/** A broker of the test's own behind real TLS: shows each packet as it came, and answers only what it is told to. */
import { createServer, type TLSSocket } from "node:tls";
import { onTestFinished } from "vitest";
import { createAuthority } from "../../emulator/aws-iot/index.ts";
import { PacketSplitter, packetTypes } from "../../emulator/aws-iot/wire.ts";
import type { Pems } from "./support.ts";

const authority = createAuthority();
const SUBACK_HEAD = Buffer.from([0x90, 0x03]);
const PUBACK_HEAD = Buffer.from([0x40, 0x02]);

export class WireBroker {
  readonly pems: Pems;
  /** Every packet, hex, whatever connection it came on; as it came. */
  readonly packets: string[] = [];
  /** The protocol that each connection asked for in the handshake, if any. */
  readonly protocols: (string | false | null)[] = [];
  acknowledges = true;
  /** Closes the connection at a publish in which this is found. */
  poison: string | undefined;
  port = 0;
  readonly #sockets = new Set<TLSSocket>();
  #waiting: (() => void)[] = [];

  constructor(pems: Pems) {
    this.pems = pems;
  }

  /** The publishes so far: the first byte, and what was published. */
  publishes(): string[] {
    return this.packets
      .filter((packet) => packet.startsWith("3"))
      .map((packet) => {
        const bytes = Buffer.from(packet, "hex");
        return `${packet.slice(0, 2)} ${bytes.subarray(bytes.indexOf("{")).toString()}`;
      });
  }

  /** Resolves when what has come so far is enough. */
  async until(isEnough: (broker: WireBroker) => boolean): Promise<void> {
    while (!isEnough(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  take(socket: TLSSocket): void {
    this.#sockets.add(socket);
    this.protocols.push(socket.alpnProtocol);
    const splitter = new PacketSplitter();
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("data", (chunk: Buffer) => {
      for (const { type, flags, bytes, body } of splitter.push(chunk).packets) {
        this.packets.push(bytes.toString("hex"));
        if (type === packetTypes.connect) socket.write(Buffer.from("20020000", "hex"));
        if (type === packetTypes.subscribe) {
          socket.write(Buffer.concat([SUBACK_HEAD, body.subarray(0, 2), body.subarray(-1)]));
        }
        if (type === packetTypes.publish) {
          if (this.poison !== undefined && body.includes(this.poison)) socket.destroy();
          const id = body.subarray(2 + body.readUInt16BE(0)).subarray(0, 2);
          if (this.acknowledges && flags !== 0) socket.write(Buffer.concat([PUBACK_HEAD, id]));
        }
      }
      for (const check of this.#waiting.splice(0)) check();
    });
  }
}

/** @param port the one to listen on; rejects as the system does when it does not let us */
export async function startWireBroker(port = 0): Promise<WireBroker> {
  const ca = await authority;
  const { certificate, privateKey } = await ca.issueServer(["localhost", "127.0.0.1"]);
  const broker = new WireBroker({ root: ca.certificate, ...(await ca.issueClient("a test's")) });
  const server = createServer(
    { ca: ca.certificate, cert: certificate, key: privateKey, requestCert: true, ALPNProtocols: ["x-amzn-mqtt-ca"] },
    (socket) => broker.take(socket),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        broker.drop();
      }),
  );
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  broker.port = address.port;
  return broker;
}

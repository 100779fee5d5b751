/**
 * A process of its own with a bare MQTT broker behind TLS, and a subscriber that counts. It tells its parent where it
 * is and with which certificates, and then for each `{ expect: n }` when that many more messages have come.
 */
import { createServer } from "node:tls";
import { Aedes } from "aedes";
import { createAuthority } from "sakuraio-kit/emulator";

const authority = await createAuthority();
const server = await authority.issueServer(["localhost", "127.0.0.1"]);
const client = await authority.issueClient("bench");
const broker = await Aedes.createBroker();

let expected = Number.POSITIVE_INFINITY;
let messages = 0;
let bytes = 0;

broker.subscribe(
  "sakura/up/#",
  ({ payload }, done) => {
    messages++;
    bytes += payload.length;
    if (messages >= expected) {
      process.send?.({ messages, bytes });
      expected = Number.POSITIVE_INFINITY;
    }
    done();
  },
  () => undefined,
);

process.on("disconnect", () => process.exit());
process.on("message", (message: unknown) => {
  if (typeof message !== "object" || message === null || !("expect" in message)) return;
  expected = Number(message.expect);
  messages = 0;
  bytes = 0;
  process.send?.({ ready: true });
});

const listening = createServer(
  { ca: authority.certificate, cert: server.certificate, key: server.privateKey, requestCert: true },
  (socket) => {
    broker.handle(socket);
  },
);
listening.listen(0, "127.0.0.1", () => {
  const address = listening.address();
  process.send?.({
    port: typeof address === "object" ? address?.port : undefined,
    root: authority.certificate,
    certificate: client.certificate,
    privateKey: client.privateKey,
  });
});

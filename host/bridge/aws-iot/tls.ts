/** The TLS connection to AWS IoT Core: mutual, with the endpoint's name in the handshake (aws-iot §2, §3). */
import { isIP } from "node:net";
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { reasonOf, SakuraError } from "../../../protocol/errors.ts";
import type { AwsIotServiceConfig } from "../../config/schema.ts";

/** AWS takes MQTT on the port of HTTPS from who names it in the handshake (aws-iot §3). */
const HTTPS_PORT = 443;
const ALPN = "x-amzn-mqtt-ca";

/** @throws SakuraError SERVICE_FAILED when the certificates or the key are none that TLS takes */
export function openSocket(config: AwsIotServiceConfig): TLSSocket {
  const { hostname, port } = config;
  return connectTls({
    host: hostname,
    port,
    // The name must be in the handshake; an address must not.
    ...(isIP(hostname) === 0 && { servername: hostname }),
    ...(port === HTTPS_PORT && { ALPNProtocols: [ALPN] }),
    rejectUnauthorized: true,
    secureContext: secureContext(config),
  }).setNoDelay(true);
}

function secureContext({ name, credentials }: AwsIotServiceConfig): SecureContext {
  try {
    return createSecureContext({
      minVersion: "TLSv1.2",
      ca: credentials.rootCa,
      cert: credentials.certificateChain,
      key: credentials.privateKey.export({ type: "pkcs8", format: "pem" }),
    });
  } catch (cause) {
    const context = { reason: "failed" };
    const message = `TLS does not take the certificates or the key of service ${name}: ${reasonOf(cause)}`;
    throw new SakuraError("SERVICE_FAILED", message, { context, cause });
  }
}

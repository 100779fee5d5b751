import { connect as connectTls, type TLSSocket } from "node:tls";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { onTestFinished } from "vitest";
import {
  type AwsIotEndpoint,
  type AwsIotEndpointOptions,
  createAuthority,
  type EndpointEvent,
  type KeyPairPem,
  type Policy,
  parsePolicy,
  startAwsIotEndpoint,
} from "../../../emulator/aws-iot/index.ts";

const authority = createAuthority();

/**
 * An endpoint that the test need not close; one authority serves all tests of a file. Tests are in more of a hurry than
 * AWS allows, so the rates hold only where a test names them.
 */
export async function startEndpoint(options: AwsIotEndpointOptions = {}): Promise<AwsIotEndpoint> {
  const limits = { connectRate: false, publishRate: false, ...options.limits };
  const endpoint = await startAwsIotEndpoint({ authority: await authority, ...options, limits });
  onTestFinished(() => endpoint.close());
  return endpoint;
}

type Statement = { Effect: "Allow" | "Deny"; Action: string | string[]; Resource: string | string[] };

export function policy(name: string, ...statements: Statement[]): Policy {
  return parsePolicy(name, { Version: "2012-10-17", Statement: statements });
}

export const everything = policy("everything", { Effect: "Allow", Action: "iot:*", Resource: "*" });

/** What AWS's ARNs look like here, literally. */
export const ARN = "arn:aws:iot:ap-northeast-1:000000000000:";

export const allow = (action: string, ...resources: string[]): Statement => ({
  Effect: "Allow",
  Action: action,
  Resource: resources.map((resource) => ARN + resource),
});

/** A new certificate, registered with these policies. */
export async function registered(
  endpoint: AwsIotEndpoint,
  ...policies: Policy[]
): Promise<KeyPairPem & { certificateId: string }> {
  const identity = await endpoint.authority.issueClient("a test's");
  endpoint.registerCertificate({ certificatePem: identity.certificate, policies });
  return identity;
}

/** What a client has to know of an endpoint. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly authority: { readonly certificate: string };
}

/** A real client; ended after the test. Its errors are for the test to see where it waits for `close`. */
export function openClient(endpoint: Target, identity: KeyPairPem, options: IClientOptions = {}): MqttClient {
  const client = mqtt.connect({
    protocol: "mqtts",
    host: endpoint.host,
    port: endpoint.port,
    ca: endpoint.authority.certificate,
    cert: identity.certificate,
    key: identity.privateKey,
    reconnectPeriod: 0,
    ...options,
  });
  client.on("error", () => undefined);
  onTestFinished(() => client.endAsync(true));
  return client;
}

/** The same, once it is connected. */
export async function connectClient(
  endpoint: Target,
  identity: KeyPairPem,
  options: IClientOptions = {},
): Promise<MqttClient> {
  const client = openClient(endpoint, identity, options);
  await new Promise<void>((resolve, reject) => {
    client.once("connect", () => resolve());
    client.once("close", () => reject(new Error("the connection was closed before a CONNACK")));
  });
  return client;
}

/** The next messages that a client gets, as `topic payload`. */
export function messages(client: MqttClient, count: number): Promise<string[]> {
  const received: string[] = [];
  return new Promise((resolve) => {
    client.on("message", (topic, payload) => {
      received.push(`${topic} ${payload.toString()}`);
      if (received.length === count) resolve(received);
    });
  });
}

export interface RawConnection {
  readonly socket: TLSSocket;
  /** Resolves, with all that was received, when the other side has ended it. */
  readonly ended: Promise<string>;
  /** Resolves when this many bytes have been received. */
  received(bytes: number): Promise<string>;
}

/** A bare TLS connection: what is on the wire, and nothing that a client makes of it. Bytes are hex. */
export function openRaw(
  endpoint: AwsIotEndpoint,
  identity: Partial<KeyPairPem>,
  options: { maxVersion?: "TLSv1.2" | "TLSv1.3"; host?: string } = {},
): RawConnection {
  const socket = connectTls({
    host: endpoint.host,
    port: endpoint.port,
    ca: endpoint.authority.certificate,
    ...(identity.certificate !== undefined && { cert: identity.certificate }),
    ...(identity.privateKey !== undefined && { key: identity.privateKey }),
    ...options,
  });
  // What is written is to be there now, not when the system has an acknowledgement of what came before.
  socket.setNoDelay(true);
  onTestFinished(() => {
    socket.destroy();
  });
  const chunks: Buffer[] = [];
  const all = () => Buffer.concat(chunks).toString("hex");
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => undefined);
  const ended = new Promise<string>((resolve) => socket.once("close", () => resolve(all())));
  return {
    socket,
    ended,
    received: (bytes) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (all().length >= bytes * 2) resolve(all());
        };
        socket.on("data", check);
        socket.once("close", () => reject(new Error(`the connection ended after ${all()}`)));
        check();
      }),
  };
}

export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** MQTT 3.1.1, clean session, keep alive 60 s, client id "a". */
export const CONNECT_A = hex("10 0d 00 04 4d515454 04 02 003c 0001 61");
export const CONNACK = "20020000";

export interface EventLog {
  readonly all: readonly EndpointEvent[];
  /** The first event that fits, whether it has happened or will. */
  first<T extends EndpointEvent["type"]>(type: T): Promise<Extract<EndpointEvent, { type: T }>>;
}

export function recordEvents(endpoint: AwsIotEndpoint): EventLog {
  const all: EndpointEvent[] = [];
  const waiting = new Set<() => void>();
  endpoint.onEvent((event) => {
    all.push(event);
    for (const check of [...waiting]) check();
  });
  return {
    all,
    first: (type) =>
      new Promise((resolve) => {
        const check = () => {
          const found = all.find(
            (event): event is Extract<EndpointEvent, { type: typeof type }> => event.type === type,
          );
          if (!found) return;
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
      }),
  };
}

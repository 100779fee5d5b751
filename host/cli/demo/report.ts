/** What the demo shows: a story for people, or one JSON object a line. */
import type { Workspace } from "../../../emulator/aws-iot/index.ts";
import type { ChannelEntry } from "../../../protocol/channel.ts";
import type { ResponseOf } from "../../../protocol/commands.ts";
import type { SakuraError } from "../../../protocol/errors.ts";
import { valueJson } from "../../../protocol/message.ts";
import { entryText } from "../feed-report.ts";
import { type CliIo, printLine } from "../io.ts";

export class DemoReport {
  readonly #io: CliIo;
  readonly #json: boolean;

  constructor(io: CliIo, json: boolean) {
    this.#io = io;
    this.#json = json;
  }

  ready({ port, module, aws }: { port: string; module: string; aws: Workspace }): void {
    const awsIot = `localhost:${aws.endpoint.port}`;
    if (this.#json) {
      this.#print(JSON.stringify({ event: "ready", endpoints: { uart: port, mqtts: awsIot }, module }));
      return;
    }
    const { publishPrefix, subscribeTopic } = aws;
    this.#print(
      `Everything here runs in this one process, and nothing leaves this machine.

  MCU           emulated: drives the module on ${port}, 115200 8N1
  module        emulated: ${module}, answers as an SCM-LTE-01
  bridge        publishes to ${publishPrefix}/${module}, takes from ${subscribeTopic}
  AWS IoT       emulated: mqtts://${awsIot}, mutual TLS with certificates made for this run
  application   subscribed to ${publishPrefix}/#

Ctrl+C stops it.
`,
    );
  }

  sent(values: readonly ChannelEntry[]): void {
    if (!this.#json) this.#print(`MCU           enqueue ${values.map(entryText).join(" ")}, send`);
  }

  trouble(error: SakuraError): void {
    printLine(this.#io.stderr, `sakuraio: ${error.message}`);
  }

  /** Text that the bridge published; it is JSON, and is shown as it came. */
  received(topic: string, text: string): void {
    this.#print(
      this.#json
        ? `{"event":"received","topic":${JSON.stringify(topic)},"message":${text}}`
        : `application   ${topic}\n              ${text}`,
    );
  }

  answered(topic: string, text: string): void {
    this.#print(
      this.#json
        ? `{"event":"published","topic":${JSON.stringify(topic)},"message":${text}}`
        : `application   sends to ${topic}\n              ${text}`,
    );
  }

  dequeued(value: ResponseOf<"RX_DEQUEUE">): void {
    const { channel, type, offset } = value;
    this.#print(
      this.#json
        ? `{"event":"dequeued","channel":${channel},"type":"${type}","value":${valueJson(value)},"offset":${offset}}`
        : `MCU           dequeued ${entryText(value)}, received ${-offset} ms ago`,
    );
  }

  #print(line: string): void {
    printLine(this.#io.stdout, line);
  }
}

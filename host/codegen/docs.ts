/** docs/protocol.md, from the command table: what `sakuraio codegen docs` writes. For people who write firmware. */
import { CHANNEL_MAX, channelTypes, ENTRY_SIZE, isChannelType, MESSAGE_CHANNELS_MAX } from "../../protocol/channel.ts";
import { FRAME_OVERHEAD, PAYLOAD_MAX } from "../../protocol/frame.ts";
import { hexByte } from "../../protocol/hex.ts";
import { products, type Status, statuses, statusMeanings } from "../../protocol/status.ts";
import { I2C_ADDRESS, SPI_HZ_MAX } from "../../protocol/wiring.ts";
import { commandTables, reportedStates } from "./docs-commands.ts";
import { code, table } from "./docs-text.ts";

export function protocolDocument(): string {
  return `${[
    TOP,
    frames,
    statusTable(),
    buses,
    "## Commands",
    COMMANDS,
    ...commandTables(),
    channels(),
    "## What the module reports",
    "Numbers that are not listed are possible in a newer firmware: treat them as unknown, not as a fault.",
    ...reportedStates([products]),
  ].join("\n\n")}\n`;
}

const TOP = `\
# The module's protocol
<!-- Made by: npm run docs. Changes go into protocol/commands.ts or host/codegen/docs*.ts. -->

What a driver and a module say to each other. It comes from the table that the client, the emulated module and the
[C header](firmware-header.md) are made from, and that rests on the vendor's published drivers and documents.
Where those are silent and this project chose, \`emulator/choices.ts\` has it. Nothing here was tried on a module yet
([hardware.md](hardware.md)).`;

const frames = `\
## Frames
${table(
  ["", "1 byte", "1 byte", `0 to ${PAYLOAD_MAX} bytes`, "1 byte"],
  [
    ["request", "command", "length of the payload", "payload", "parity"],
    ["answer", "status", "length of the payload", "payload", "parity"],
  ],
)}

The parity is the XOR of every byte before it. Integers are little-endian. The driver sends one request, waits, and reads
one answer; never are two under way.

Putting the int32 25 on channel 1 into the TX queue, and the answer:

    20          command TX_ENQUEUE
    0A          10 bytes follow
    01          channel 1
    69          type 'i', an int32
    19 00 00 00 00 00 00 00     25, little-endian, padded to 8 bytes
    5B          parity: 20 ^ 0A ^ 01 ^ 69 ^ 19 = 5B

    01          status: success
    00          nothing follows
    01          parity: 01 ^ 00

A frame is its payload and ${FRAME_OVERHEAD} bytes. The parity notices one wrong bit, and not every two
([what no bus can tell](hardware.md#what-no-bus-can-tell)): a line that damages frames has to be mended, not endured.`;

function statusTable(): string {
  const rows = Object.entries(statusMeanings).flatMap(([name, meaning]) =>
    isStatus(name) ? [[code(hexByte(statuses.values[name])), code(name), meaning]] : [],
  );
  return `\
## Statuses
The first byte of every answer. A refusal has no payload (\`04 00 04\`), and the module has done nothing.

${table(["byte", "name", "meaning"], rows)}

After \`PARITY\` and \`BUSY\` ask again. After \`RUNTIME\` ask again when what it speaks of has changed. The others will say
the same again.`;
}

function isStatus(name: string): name is Status {
  return Object.hasOwn(statuses.values, name);
}

const buses = `\
## On the bus
**UART**: 115200 baud, 8N1, no flow control. A frame travels as upper-case hexadecimal digits:

    → AT*CMD=200A016919000000000000005B\\n
    ← *CMD:010001\\r\\n
    ← OK\\r\\n

\`OK\` follows every \`*CMD:\` line, and the next command may go out before it has been read. A stale \`OK\`, blank lines or
noise may come before \`*CMD:\`; skip them. \`AT\` alone answers \`OK\`.

**I2C**: 7-bit address ${code(hexByte(I2C_ADDRESS))}, 100 kHz. One write with the whole request, about 10 ms, one read with the answer. Reading more
than the answer gives zeros, and each read begins at the status again, so a damaged answer can be read once more.

**SPI**: mode 0, most significant bit first, up to ${SPI_HZ_MAX / 1000} kHz, about 20 µs between bytes. Chip select is low from the
request's first byte to the answer's last: the request, about 10 ms, then zeros are clocked out to read the answer.`;

const COMMANDS = `\
*Request* and *answer* are the payloads; a dash is an empty one, and the whole request is then given in hexadecimal.
*Lost answer* is what to do when no good answer came: *again*, the command may simply be asked again, because twice is the
same as once; **once**, nobody knows whether it was carried out, and asking again may do it a second time. After a refusal
any command may be asked again.`;

function channels(): string {
  const rows = Object.entries(channelTypes).flatMap(([type, c]) =>
    isChannelType(type) ? [[code(type), code(hexByte(type.charCodeAt(0))), code(c)]] : [],
  );
  return `\
## Channel values
An entry is ${ENTRY_SIZE} bytes: channel (0 to ${CHANNEL_MAX}), type (one ASCII character), and the value, which always takes 8 bytes;
shorter ones come first and zeros follow.

${table(["type", "byte", "in C"], rows)}

An *offset* is an int64 in ms behind the last entry: −4321 for a reading that was taken 4.321 s ago. Without one it is 0.
In an answer it says how long ago the module received the value, and so is negative (a choice: no document says it).
The time of a value that is sent is when it was put in the queue plus its offset, not when it was sent. One message to the platform
carries at most ${MESSAGE_CHANNELS_MAX} values.`;
}

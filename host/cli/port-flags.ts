/** The options of every verb that opens a module's port. */
import { type Command, Option } from "commander";
import { integer } from "./options.ts";

const PORT_HELP =
  "where it is: uart:/dev/ttyUSB0[?baud=N], uart:COM3, uart:usb:VID:PID[:SERIAL] (see sakuraio ports), " +
  "tcp:HOST:PORT, buspirate+i2c:/dev/ttyUSB0, buspirate+spi:usb:VID:PID, i2c:/dev/i2c-1, spi:/dev/spidev0.0";

export const PORT_NOTES = `
Behind a port's ?, joined by &:
  wait=MS            over I2C and SPI: from a request to the reading of its
                     answer (default: 10)
  power=off          a Bus Pirate: do not give the module its 3.3 V
  pullups=off        a Bus Pirate's I2C: the module's board has its own
  baud=N             a serial port, a Bus Pirate's too (default: 115200)
  speed=HZ           spi: up to 350000 (default: 250000)

--trace: a line for each frame: time (UTC), direction, name, bytes and what they
say; an answer has the ms since its request. What came and is no frame is shown
too, and where nothing came in time. Cut to the width of a terminal, whole where
piped. In colour on a terminal, unless NO_COLOR is set or TERM is dumb.
--record: NDJSON for sakuraio replay, readable by its owner alone. It holds
every frame, and what came instead of one, so the values that are sent and
received too; of the port its kind and speed, no path and no host.`;

/** @param instead the option that may stand in the port's place, as commander calls it; without it a port is needed */
export function addPortFlags(command: Command, instead?: string): Command {
  const port = new Option("--port <URI>", PORT_HELP);
  return command
    .addOption(instead === undefined ? port.makeOptionMandatory() : port.conflicts(instead))
    .option("--baud <N>", "speed of the serial port (default: 115200)", integer(50, 4_000_000))
    .option("--timeout <MS>", "for each try of a command (default: 1000)", integer(1, 600_000))
    .option("--trace", "show each frame, both ways, on stderr", false)
    .option("--record <FILE>", "keep each frame in this new file, for sakuraio replay")
    .option("--json", "one JSON object a line on stdout and nothing else", false);
}

/** Recorded sessions, written by hand. Frames as in module-protocol §2; the parity of each is the XOR of its bytes (§1). */

const HEADER =
  '{"format":"sakuraio-recording","version":1,"kit":"0.1.0","recorded":"2026-11-25T02:03:04.567Z",' +
  '"port":{"kind":"uart","baud":115200},"host":"node v20.20.2 linux"}';

function recording(...lines: readonly string[]): string {
  return [HEADER, ...lines, ""].join("\n");
}

/**
 * Signal 5; channel 1 gets int32 25; TX_SEND; TX_STAT says sending, then done; signal 4. Between TX_SEND and TX_STAT an
 * echo, as a host sends it that gets in step.
 */
export const SENDING = recording(
  '{"t":0.5,"dir":"request","hex":"020002"}',
  '{"t":3.25,"dir":"answer","hex":"01010505"}',
  '{"t":10,"dir":"request","hex":"200A016919000000000000005B"}',
  '{"t":12,"dir":"answer","hex":"010001"}',
  '{"t":20,"dir":"request","hex":"240024"}',
  '{"t":29.5,"dir":"answer","hex":"010001"}',
  '{"t":30,"dir":"request","hex":"0F02ABCD6B"}',
  '{"t":31,"dir":"answer","hex":"0102ABCD65"}',
  '{"t":40,"dir":"request","hex":"250025"}',
  '{"t":41,"dir":"answer","hex":"0102010002"}',
  '{"t":90,"dir":"request","hex":"250025"}',
  '{"t":91,"dir":"answer","hex":"0102000003"}',
  '{"t":100,"dir":"request","hex":"020002"}',
  '{"t":101,"dir":"answer","hex":"01010404"}',
  '{"t":110.125,"event":"end"}',
);

/** A silence; a signal whose parity is wrong; then a late answer, 05, with the one that was asked for behind it. */
export const TROUBLED = recording(
  '{"t":0,"dir":"request","hex":"A000A0"}',
  '{"t":1000,"dir":"request","hex":"020002"}',
  '{"t":1002,"dir":"answer","hex":"010105FF"}',
  '{"t":1010,"dir":"request","hex":"220022"}',
  '{"t":1011,"dir":"answer","hex":"01010505"}',
  '{"t":1013,"dir":"answer","hex":"0102200023"}',
  '{"t":1020,"event":"lost"}',
  '{"t":1400.5,"event":"open"}',
  '{"t":1500,"dir":"request","hex":"300030"}',
  '{"t":1501,"dir":"answer","hex":"01120169190000000000000000FFFFFFFFFFFFFF9D"}',
  '{"t":1600,"event":"end"}',
);

/**
 * ERROR to a signal; the signal, and a damaged OK behind it; TX_SEND, and an MCU's damaged line that was answered ERROR;
 * an echo of AABBCCDD whose first byte was damaged to AB, and one of AABBCCDE that came behind a late one of AABBCCDD.
 */
export const NOISY = recording(
  '{"t":0,"dir":"request","hex":"020002"}',
  '{"t":1,"dir":"answer","noise":"4552524F520D0A"}',
  '{"t":2,"dir":"request","hex":"020002"}',
  '{"t":3,"dir":"answer","hex":"01010505"}',
  '{"t":3.5,"dir":"answer","noise":"4F4C0D0A"}',
  '{"t":4,"dir":"request","hex":"240024"}',
  '{"t":5,"dir":"answer","hex":"010001"}',
  '{"t":6,"dir":"request","noise":"41542A434E443D3234303032340A"}',
  '{"t":7,"dir":"answer","noise":"4552524F520D0A"}',
  '{"t":8,"dir":"request","hex":"0F04AABBCCDD0B"}',
  '{"t":9,"dir":"answer","hex":"0104ABBBCCDD05"}',
  '{"t":10,"dir":"request","hex":"0F04AABBCCDE08"}',
  '{"t":11,"dir":"answer","hex":"0104AABBCCDD05"}',
  '{"t":12,"dir":"answer","hex":"0104AABBCCDE06"}',
);

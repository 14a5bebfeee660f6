import { expect, test } from "vitest";
import { readableName } from "../../src/common/person-name";

test.each([
  ["Müller^Zoë", "Müller, Zoë"],
  ["MÜSTER^ZOÉ^^Dr.", "MÜSTER, Dr. ZOÉ"],
  ["Adams^John^Quincy^Rev.^B.A.", "Adams, Rev. John Quincy, B.A."],
  ["Müller^Zoë^^^", "Müller, Zoë"],
  ["^Zoë", "Zoë"],
  ["Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou · 山田 太郎 · やまだ たろう"],
  ["=山田^太郎", "山田 太郎"],
  ["Müller, Zoë", "Müller, Zoë"],
  ["A^B\\C^D", "A, B"],
  ["^^^", ""],
  [null, ""],
])("%s is shown as %s", (written, shown) => {
  expect(readableName(written)).toBe(shown);
});

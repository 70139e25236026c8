import { eventually, type Use } from '../../test/catalog/use.ts';

/** A shell of the guest's own, as the smallest image that runs. */
const FILES = 'bin/dash bin/cat lib64/ld-linux-x86-64.so.2 lib/x86_64-linux-gnu/libc.so.6';

/** The daemon runs, makes an image, and a container of it is isolated and has a network of its own. */
export const use: Use = async (guest) => {
  await eventually(() => guest.must('docker info'));
  await guest.must(`tar -C / -chf - ${FILES} | docker import - tiny`);
  const said = await guest.must(
    'docker run --rm --hostname inside tiny /bin/dash -c "cat /proc/sys/kernel/hostname /proc/net/dev"',
  );
  if (!said.startsWith('inside') || !said.includes('eth0')) throw new Error(`the container said:\n${said}`);
};

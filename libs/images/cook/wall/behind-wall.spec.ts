import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, statfs, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WallGround } from './behind-wall.fixture.ts';
import { systemCallFilter } from './system-calls.ts';

let ground: WallGround;
beforeAll(async () => {
  ground = await WallGround.make();
});
afterAll(() => ground[Symbol.asyncDispose]());

async function expectNothingLeft(): Promise<void> {
  await expect.poll(() => ground.leftovers(), { timeout: 20_000, interval: 200 }).toEqual([]);
}

/** Each line of Perl is tried; what worked is printed. */
const perl = (attempts: Readonly<Record<string, string>>) =>
  Object.entries(attempts)
    .map(([name, code]) => `perl -e '$ok = eval { ${code} }; print "${name} worked\\n" if $ok'`)
    .join('\n');

describe('behind the wall (needs root or a range of ids, and bubblewrap)', () => {
  it('is nothing of this machine but its tools', async () => {
    process.env.WALL_SPEC_SECRET = ground.secret;
    const places = [
      '/etc/passwd',
      '/etc/shadow',
      '/root',
      '/home',
      '/var',
      '/mnt',
      '/sys',
      '/usr/local',
      process.cwd(),
    ];
    const { text, exitCode } = await ground.run(`
      for path in ${[...places, ground.folder].join(' ')}; do test -e "$path" && echo "seen: $path"; done
      grep -rsl ${ground.secret} / --exclude-dir=usr --exclude-dir=proc --exclude-dir=install
      cat /proc/*/environ | grep -c ${ground.secret}
      readlink /proc/1/fd/* | grep -Ev '^(socket|anon_inode:.eventfd|/dev/null$)'
      find / -xdev -type f -perm -o+r ! -path '/usr/*' ! -path '/proc/*' ! -path '/work/*'
      exit 0`);
    expect(text.split('\n').toSorted()).toEqual(['/etc/ld.so.cache', '/etc/mke2fs.conf', '0']);
    expect(exitCode).toBe(0);
  });

  it('lets write on its own disk alone, whatever links lead elsewhere', async () => {
    const { text } = await ground.run(`
      ln -s ${ground.secretPath} /work/root/link && echo owned 2>/dev/null > /work/root/link
      ln -s / /work/root/slash && touch /work/root/slash/x 2>/dev/null && echo wrote
      for folder in $(cut -d ' ' -f 2 /proc/mounts) $(find / -maxdepth 2 -type d 2>/dev/null); do
        case $folder in /proc/* | /work* | /install*) continue ;; esac
        touch "$folder/x" 2>/dev/null && echo "wrote into $folder"
      done
      touch /work/root/x && echo own disk`);
    expect(text).not.toContain('wrote');
    expect(text).toContain('own disk');
    expect(await readFile(ground.secretPath, 'utf8')).toBe(ground.secret);
  });

  it('has no network, no way to sockets of this machine, and none to its hypervisor', async () => {
    const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
    const abstract = createServer((socket) => socket.end('hello')).listen(`\0${ground.secret}`);
    await Promise.all([once(server, 'listening'), once(abstract, 'listening')]);
    const { port } = server.address() as { port: number };
    const { text } = await ground.run(`
      grep -o '^ *[a-z0-9]*:' /proc/net/dev
      ${perl({
        loopback: `use Socket; socket(S, AF_INET, SOCK_STREAM, 0) && connect(S, sockaddr_in(${port}, inet_aton("127.0.0.1")))`,
        outside:
          'use Socket; socket(S, AF_INET, SOCK_STREAM, 0) && connect(S, sockaddr_in(80, inet_aton("192.0.2.1")))',
        abstract: `use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0) && connect(S, pack("S a*", 1, "\\0${ground.secret}"))`,
        vsock: 'socket(S, 40, 1, 0)',
        packet: 'socket(S, 17, 3, 0)',
        alg: 'socket(S, 38, 5, 0)',
      })}`);
    server.close();
    abstract.close();
    expect(text.replaceAll(' ', '')).toBe('lo:');
  });

  it('has processes of its own alone, to see and to kill', async () => {
    const other = spawn('sleep', ['600']);
    const { text } = await ground.run(`
      kill -9 ${other.pid} ${process.pid} ${process.ppid} 2>/dev/null && echo killed
      echo "$(ls -d /proc/[0-9]* | wc -l) to see"
      { kill -9 -1; kill -9 1; } 2>/dev/null
      echo 'nobody is left'`);
    expect(text).not.toContain('killed');
    expect(Number(/^(\d+) to see$/m.exec(text)?.[1])).toBeLessThan(10);
    expect(text).toMatch(/^nobody is left$/m);
    expect(other.exitCode).toBeNull();
    other.kill();
  });

  it('gives no right that leads out: no mount, namespace, device, keyring or part of the kernel', async () => {
    const syscall = (...args: (number | string)[]) => `syscall(${args.join(', ')}) >= 0`;
    const { text } = await ground.run(`
      mkdir /work/a
      for device in 'b 8 0' 'b 254 0' 'c 1 1' 'c 10 232' 'c 5 1'; do mknod /work/node $device 2>/dev/null && echo "made $device"; done
      ls /dev/kvm /dev/vda /dev/sda /dev/mem /dev/kmsg /dev/fuse /dev/loop-control 2>/dev/null
      mount -t tmpfs none /work/a 2>/dev/null && echo mounted
      mount --bind / /work/a 2>/dev/null && echo bound
      mount -o remount,rw / 2>/dev/null && echo remounted
      mount -o remount,rw /usr/bin 2>/dev/null && echo remounted
      umount /proc 2>/dev/null && echo unmounted
      unshare --user true 2>/dev/null && echo 'user namespace'
      unshare --mount true 2>/dev/null && echo 'mount namespace'
      unshare --net true 2>/dev/null && echo 'network namespace'
      nsenter --target 1 --mount true 2>/dev/null && echo entered
      dmesg 2>/dev/null | head -n 1
      echo c 2>/dev/null > /proc/sysrq-trigger && echo sysrq
      echo 1 2>/dev/null > /proc/sys/kernel/core_pattern && echo core_pattern
      echo x 2>/dev/null > /proc/self/uid_map && echo uid_map
      chroot /work/root /usr/bin/true 2>/dev/null
      ${perl({
        pivot_root: syscall(155, '"/work/a"', '"/work/a"'),
        clone_newuser: `$pid = ${syscall(56, '0x10000000 | 17', 0, 0, 0, 0)} ? 1 : 0; $pid`,
        clone3: syscall(435, 0, 0),
        ptrace: syscall(101, 16, 1, 0, 0),
        keyctl: syscall(250, 0, -3, 0),
        bpf: syscall(321, 0, 0, 0),
        perf: syscall(298, 0, 0, 0, 0, 0),
        io_uring: syscall(425, 1, 0),
        userfaultfd: syscall(323, 0),
        open_by_handle: syscall(304, 0, 0, 0),
        module: syscall(175, 0, 0, 0),
        reboot: syscall(169, 0, 0, 0, 0),
        x32: syscall('0x40000000 + 39'),
      })}
      ${chrootEscape}
      grep -E '^(Cap(Eff|Bnd)|NoNewPrivs|Seccomp):' /proc/self/status`);
    const shown = text.split('\n');
    expect(shown.filter((line) => !/^(Cap|NoNew|Seccomp)/.test(line))).toEqual(['the root of the wall']);
    // chown, dac_override, fowner, fsetid, kill, setgid, setuid, sys_chroot, setfcap
    expect(text).toMatch(
      /CapEff:\t00000000800400fb\nCapBnd:\t00000000800400fb\nNoNewPrivs:\t1\nSeccomp:\t2$/,
    );
  });

  it('ends at its limit of processes, and all of them with it', async () => {
    const end = await ground.run("perl -e 'fork while 1'");
    expect(end.stoppedBy).toBe('processes');
    await expectNothingLeft();
  });

  it('cannot start more than its limit between two looks, whoever its users are', async () => {
    const { text } = await ground.run(
      `for uid in 1 2 3; do perl -e '$< = $> = '$uid'; for (1..100) { $pid = fork; if (!defined $pid) { print "$_\\n"; last } if (!$pid) { sleep 5; exit } }' & done; wait`,
      { limits: { processes: 48 } },
    );
    const started = text.split('\n').reduce((sum, line) => sum + (Number(line) || 0), 0);
    expect(started).toBeLessThan(80);
  });

  it('ends at its limit of memory, in one process and in many', async () => {
    const hog = `perl -e '@all = map { "x" x 8_000_000 } 1..1000; sleep 60'`;
    expect((await ground.run(hog)).stoppedBy).toBe('memory');
    const small = `perl -e '$x = "x" x 30_000_000; sleep 60'`;
    expect(
      (await ground.run(`for i in 1 2 3 4 5 6 7 8 9 10 11 12; do ${small} & done; wait`)).stoppedBy,
    ).toBe('memory');
  });

  it('ends when its disk is full, which has taken nothing of ours but what it may', async () => {
    const before = await statfs(ground.folder);
    const end = await ground.run(
      'cat /dev/zero > /work/root/full; cat /dev/zero > /install/dev/shm/full; exit 9',
    );
    expect(end).toMatchObject({ exitCode: 9, stoppedBy: null, diskWasFull: true });
    expect(end.text).toContain('No space left on device');
    const inodes = await ground.run(`perl -e 'while (open my $file, ">", "/work/root/" . $i++) {}; exit 9'`);
    expect(inodes).toMatchObject({ exitCode: 9, diskWasFull: true });
    const after = await statfs(ground.folder);
    expect((before.bavail - after.bavail) * after.bsize).toBeLessThan(512 * 1024 ** 2);
    await expectNothingLeft();
  });

  it('ends at its limits of time, whatever it does about signals', async () => {
    const deaf = await ground.run("trap '' TERM INT HUP; while :; do sleep 1; done", {
      limits: { wallSeconds: 3 },
    });
    expect(deaf.stoppedBy).toBe('wall_time');
    const busy = await ground.run('for i in 1 2 3; do while :; do :; done & done; wait', {
      limits: { cpuSeconds: 3 },
    });
    expect(busy.stoppedBy).toBe('cpu_time');
    await expectNothingLeft();
  });

  it('says by which signal it was ended', async () => {
    for (const signal of ['KILL', 'SEGV']) {
      const end = await ground.run(`echo begun; kill -${signal} $$`);
      // The first process of a namespace takes no signal of its own: bubblewrap's is that one.
      expect(end).toMatchObject({ signal: `SIG${signal}`, stoppedBy: null, text: 'begun' });
    }
    expect(await ground.run('exit 9')).toMatchObject({ exitCode: 9, signal: null });
    const large = await ground.run('head -c 3M /dev/zero > /work/root/large', { fileBytes: 1024 ** 2 });
    expect(large.signal).toBe('SIGXFSZ');
    await expectNothingLeft();
  });

  it('ends when it has printed too much, in lines or without any', async () => {
    for (const script of ['yes', 'cat /dev/zero', 'yes >&2']) {
      const end = await ground.run(script, { limits: { logBytes: 64 * 1024 } });
      expect(end.stoppedBy).toBe('output');
      expect(end.text.length).toBeLessThan(128 * 1024);
    }
  });

  it('keeps nobody alive after its end', async () => {
    const end = await ground.run('setsid nohup sleep 600 < /dev/null > /dev/null 2>&1 & sleep 0.2; exit 0');
    expect(end).toMatchObject({ exitCode: 0, stoppedBy: null });
    await expectNothingLeft();
  });

  it('gives out the files that were handed in, no larger than they may be, and no other', async () => {
    const from = join(ground.folder, 'handed-file');
    await writeFile(from, '', { mode: 0o600 });
    const { text } = await ground.run(
      `echo finished > /out/file
       rm -f /out/file 2>/dev/null && echo removed
       ln -sf /etc/shadow /out/file 2>/dev/null && echo linked
       touch /out/other 2>/dev/null && echo other
       chmod 4755 /out/file
       truncate -s 5G /out/file 2>/dev/null && echo large`,
      { handed: [{ from, at: '/out/file' }], fileBytes: 1024 ** 2 },
    );
    expect(text).toBe('');
    expect(await readFile(from, 'utf8')).toBe('finished\n');
    const facts = await stat(from);
    expect([facts.uid, facts.isFile(), facts.mode & 0o7777]).toEqual([process.getuid?.(), true, 0o600]);
  });

  it('leaves nothing when who asked for it is killed, at whichever moment', async () => {
    const fixture = new URL('./run-once.fixture.ts', import.meta.url).pathname;
    for (const milliseconds of [50, 150, 300, 500, 800, 1200, 2000, 4000]) {
      const argv = ['--conditions=source', '--disable-warning=ExperimentalWarning', fixture, ground.folder];
      const child = spawn(process.execPath, argv, { stdio: 'ignore' });
      await pause(milliseconds);
      child.kill('SIGKILL');
      await expectNothingLeft();
    }
    expect(await ground.run('exit 0')).toMatchObject({ exitCode: 0, stoppedBy: null });
  });

  it('is cancelled, at whichever moment, and the next one works', async () => {
    for (const milliseconds of [50, 150, 300, 400, 500, 600, 800, 1200, 2000]) {
      const cancel = new AbortController();
      const running = ground.run('sleep 600', { signal: cancel.signal });
      setTimeout(() => cancel.abort(), milliseconds);
      await expect(running).rejects.toMatchObject({ code: 'cook_cancelled' });
      await expectNothingLeft();
    }
    expect(await ground.run('echo again')).toMatchObject({ exitCode: 0, text: 'again' });
  });
});

/** The classic: a process that keeps a folder open outside of its root walks up from there. It comes out behind the wall. */
const chrootEscape = `
mkdir -p /work/jail/deeper
perl -e '
  chroot "/work/jail"; chdir "/"; opendir(D, "/"); chroot "/deeper"; chdir(D) or 1;
  chdir ".." for 1..20; chroot ".";
  print "the root of the wall\\n" if -d "/work" && !-e "/etc/shadow" && !-e "/root";
'`;

describe('the filter of system calls', () => {
  it('is a program of whole instructions, each of whose jumps stays within', () => {
    const bytes = systemCallFilter();
    expect(bytes.length % 8).toBe(0);
    const count = bytes.length / 8;
    for (let at = 0; at < count; at += 1) {
      const isJump = (bytes.readUInt16LE(at * 8) & 0x07) === 0x05;
      if (isJump)
        expect(at + 1 + Math.max(bytes[at * 8 + 2] ?? 0, bytes[at * 8 + 3] ?? 0)).toBeLessThan(count);
    }
  });
});

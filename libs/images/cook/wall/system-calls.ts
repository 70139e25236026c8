/**
 * A seccomp filter for x86-64, as the kernel wants it (seccomp(2), classic BPF). It leaves a package's script what
 * it needs to install software, and takes away the ways to new rights, to what no namespace parts, and to parts of
 * the kernel where holes have been found.
 */

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

const AUDIT_ARCH_X86_64 = 0xc000_003e;
/** Numbers from here on are those of the x32 ABI. */
const X32 = 0x4000_0000;
const CLONE = 56;
const CLONE3 = 435;
const SOCKET = 41;
const SOCKETPAIR = 53;
/** NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET of clone(2). */
const NEW_NAMESPACES = 0x7e02_0000;
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. AF_VSOCK, which reaches the hypervisor, knows no namespaces. */
const FAMILIES = [1, 2, 10, 16];

const DENIED: Readonly<Record<string, number>> = {
  // Mounts and namespaces
  pivot_root: 155,
  mount: 165,
  umount2: 166,
  unshare: 272,
  open_by_handle_at: 304,
  setns: 308,
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  fspick: 433,
  mount_setattr: 442,
  open_tree_attr: 467,
  // Keyrings, which are inherited and have no namespace of their own
  add_key: 248,
  request_key: 249,
  keyctl: 250,
  // Other processes
  ptrace: 101,
  process_vm_readv: 310,
  process_vm_writev: 311,
  kcmp: 312,
  pidfd_getfd: 438,
  process_madvise: 440,
  // The kernel itself: its modules, log, clock, accounts and devices
  syslog: 103,
  modify_ldt: 154,
  adjtimex: 159,
  acct: 163,
  settimeofday: 164,
  swapon: 167,
  swapoff: 168,
  reboot: 169,
  iopl: 172,
  ioperm: 173,
  create_module: 174,
  init_module: 175,
  delete_module: 176,
  quotactl: 179,
  clock_settime: 227,
  kexec_load: 246,
  clock_adjtime: 305,
  finit_module: 313,
  kexec_file_load: 320,
  quotactl_fd: 443,
  // Large and seldom needed
  perf_event_open: 298,
  fanotify_init: 300,
  bpf: 321,
  userfaultfd: 323,
  io_uring_setup: 425,
  io_uring_enter: 426,
  io_uring_register: 427,
  memfd_secret: 447,
};

const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const JUMP_BITS = 0x45;
const RETURN = 0x06;
const ALLOW = 0x7fff_0000;
const ERROR = 0x0005_0000;

/** Offsets in `struct seccomp_data`. */
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;
const FIRST_ARGUMENT_AT = 16;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, k: number];

const load = (offset: number): Instruction => [LOAD, 0, 0, offset];
const give = (value: number): Instruction => [RETURN, 0, 0, value];
const fail = (errno: number): Instruction => give(ERROR | errno);
/** `then` where it holds; each must end with a return. */
const when = (code: number, k: number, then: readonly Instruction[]): Instruction[] => [
  [code, 0, then.length, k],
  ...then,
];

/** The filter's bytes, for `bwrap --seccomp`. */
export function systemCallFilter(): Buffer {
  const family = FAMILIES.flatMap((number) => when(JUMP_EQUAL, number, [give(ALLOW)]));
  const sockets = [load(FIRST_ARGUMENT_AT), ...family, fail(EAFNOSUPPORT)];
  const clone = [load(FIRST_ARGUMENT_AT), ...when(JUMP_BITS, NEW_NAMESPACES, [fail(EPERM)]), give(ALLOW)];
  const program: Instruction[] = [
    load(ARCHITECTURE_AT),
    [JUMP_EQUAL, 1, 0, AUDIT_ARCH_X86_64],
    fail(ENOSYS),
    load(NUMBER_AT),
    ...when(JUMP_AT_LEAST, X32, [fail(ENOSYS)]),
    ...Object.values(DENIED).flatMap((number) => when(JUMP_EQUAL, number, [fail(EPERM)])),
    // Its flags lie in memory, where no filter looks: whoever calls it falls back to clone.
    ...when(JUMP_EQUAL, CLONE3, [fail(ENOSYS)]),
    ...when(JUMP_EQUAL, CLONE, clone),
    ...when(JUMP_EQUAL, SOCKET, sockets),
    ...when(JUMP_EQUAL, SOCKETPAIR, sockets),
    give(ALLOW),
  ];
  return Buffer.concat(program.map(encode));
}

function encode([code, ifTrue, ifFalse, k]: Instruction): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(k >>> 0, 4);
  return bytes;
}

import { fstatSync, writeSync } from 'node:fs';
import { fileBytes } from '../byte-source.ts';
import { contentsOf } from '../guest/contents.ts';
import { qcow2Disk } from '../guest/qcow2-disk.ts';

/** Looks into a disk that was converted, as a process of the sandbox: descriptor 3 is the file. */
const FILE = 3;

writeSync(1, JSON.stringify(contentsOf(qcow2Disk(fileBytes(FILE, fstatSync(FILE).size)))));

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import type { ExportWire } from '#libs/contracts';
import { type ExportSource, makeExport } from '../../api/exports.ts';
import { Button } from '../../components/button.tsx';
import { Choice, ChoiceGroup } from '../../components/choice.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';

type Format = ExportWire['format'];

export const FORMATS: Readonly<Record<Format, { title: string; hint: string }>> = {
  ova: { title: 'OVA', hint: 'For VirtualBox and VMware: open it there.' },
  qcow2: { title: 'qcow2', hint: 'For QEMU, KVM, Proxmox and OpenStack.' },
  vmdk: { title: 'VMDK', hint: 'The disk alone, for VMware.' },
  raw: { title: 'raw, by zstd', hint: 'The plain bytes of the disk, compressed.' },
};

const ORDER = Object.keys(FORMATS) as Format[];

interface ExportDialogProps {
  readonly source: ExportSource & { readonly name: string };
  readonly close: () => void;
}

export function ExportDialog({ source, close }: ExportDialogProps) {
  const titleId = useId();
  const queryClient = useQueryClient();
  const [format, setFormat] = useState<Format>('ova');
  const begin = useMutation({
    mutationFn: () => makeExport(source, format),
    onSuccess: async () => {
      close();
      await Promise.all(
        ['exports', 'servers'].map((key) => queryClient.invalidateQueries({ queryKey: [key] })),
      );
    },
  });
  return (
    <FormDialog open onOpenChange={close} title={`Export ${source.name}`}>
      {begin.error && <ErrorPanel error={begin.error} title="Nothing was exported" />}
      <p id={titleId} className="text-soft">
        {source.type === 'server' && 'The file holds all that is on its disk, with its keys and passwords. '}
        In which format?
      </p>
      <ChoiceGroup
        labelledBy={titleId}
        value={format}
        onChange={(chosen) => setFormat(chosen as Format)}
        className="grid gap-2"
      >
        {ORDER.map((name) => (
          <Choice key={name} value={name}>
            <span className="block font-[600] text-ink">{FORMATS[name].title}</span>
            <span className="block text-sm text-soft">{FORMATS[name].hint}</span>
          </Choice>
        ))}
      </ChoiceGroup>
      <div className="flex justify-end gap-2">
        <Button look="secondary" onClick={close}>
          Cancel
        </Button>
        <Button busy={begin.isPending} onClick={() => begin.mutate()}>
          Make the file
        </Button>
      </div>
    </FormDialog>
  );
}

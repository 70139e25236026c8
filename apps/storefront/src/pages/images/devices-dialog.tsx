import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ImageWire } from '#libs/contracts';
import { ownImagesQuery, updateImage } from '../../api/images.ts';
import { Button } from '../../components/button.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { SelectField } from '../../components/select-field.tsx';
import { DISK_BUSES, FIRMWARES, NIC_MODELS, VERIFICATIONS } from './image-words.ts';

/** What an image's servers start on, where what was detected is wrong. */
export function DevicesDialog({ image, close }: { image: ImageWire; close: () => void }) {
  const queryClient = useQueryClient();
  const [devices, setDevices] = useState(image.servery.devices);
  const [verification, setVerification] = useState(image.servery.verification);
  const save = useMutation({
    mutationFn: () => updateImage(image.id, { servery: { devices, verification } }),
    onSuccess: async () => {
      await queryClient.invalidateQueries(ownImagesQuery);
      close();
    },
  });
  return (
    <FormDialog open onOpenChange={close} title="What its servers start on">
      {save.error && <ErrorPanel error={save.error} title="Nothing was changed" />}
      <p className="text-soft">
        We chose by what we found in the disk. If a server of it does not start, try others; they hold for
        servers that are ordered or rebuilt from then on.
      </p>
      <SelectField
        label="Firmware"
        value={devices.firmware}
        options={FIRMWARES}
        onChange={(firmware) => setDevices({ ...devices, firmware })}
      />
      <SelectField
        label="Disk"
        value={devices.disk_bus}
        options={DISK_BUSES}
        onChange={(disk_bus) => setDevices({ ...devices, disk_bus })}
      />
      <SelectField
        label="Network card"
        value={devices.nic_model}
        options={NIC_MODELS}
        onChange={(nic_model) => setDevices({ ...devices, nic_model })}
      />
      <SelectField
        label="A server of it is handed over when"
        value={verification}
        options={VERIFICATIONS}
        onChange={setVerification}
      />
      <div className="flex justify-end gap-2">
        <Button look="secondary" onClick={close}>
          Cancel
        </Button>
        <Button busy={save.isPending} onClick={() => save.mutate()}>
          Save
        </Button>
      </div>
    </FormDialog>
  );
}

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { ApiError, newIdempotencyKey } from '../../api/client.ts';
import { type DiskToImport, importDisk, ownImagesQuery } from '../../api/images.ts';
import { forgetUpload, uploadFile, uploadsQuery } from '../../api/uploads.ts';

const IMPORT_TRIES = 6;

export type DiskSource = { readonly file: File } | { readonly url: string };

/** After a lost answer the upload may be an image already; without the same key the whole file would be sent again. */
async function importUploaded(disk: DiskToImport) {
  const key = newIdempotencyKey();
  for (let tries = 1; ; tries++) {
    try {
      return await importDisk(disk, key);
    } catch (error) {
      const isLost = error instanceof ApiError && (error.code === 'network' || error.status >= 500);
      if (!isLost || tries === IMPORT_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * 2 ** tries));
    }
  }
}

/** Sends a disk, or its address, and asks for an image of it. Leaving the page stops what is being sent. */
export function useImport() {
  const queryClient = useQueryClient();
  const [sentBytes, setSentBytes] = useState(0);
  const stop = useRef<AbortController>(null);
  useEffect(() => () => stop.current?.abort(), []);

  const { mutate, ...state } = useMutation({
    mutationFn: async ({ disk, source }: { disk: DiskToImport; source: DiskSource }) => {
      if ('url' in source) return importDisk({ ...disk, url: source.url }, newIdempotencyKey());
      stop.current = new AbortController();
      const { signal } = stop.current;
      const upload = await uploadFile({ file: source.file, signal, onProgress: setSentBytes });
      const started = await importUploaded({ ...disk, upload });
      forgetUpload(source.file);
      return started;
    },
    onSuccess: () => queryClient.invalidateQueries(ownImagesQuery),
    onSettled: () => queryClient.invalidateQueries(uploadsQuery),
  });
  // Who has stopped it knows that it was not imported.
  const error = state.error?.name === 'AbortError' ? null : state.error;
  return { ...state, error, begin: mutate, sentBytes, cancel: () => stop.current?.abort() };
}

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { newIdempotencyKey } from '../../api/client.ts';
import { type DiskToImport, importDisk, ownImagesQuery } from '../../api/images.ts';
import { forgetUpload, uploadFile } from '../../api/uploads.ts';

export type DiskSource = { readonly file: File } | { readonly url: string };

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
      const started = await importDisk({ ...disk, upload }, newIdempotencyKey());
      forgetUpload(source.file);
      return started;
    },
    onSuccess: () => queryClient.invalidateQueries(ownImagesQuery),
  });
  return { ...state, begin: mutate, sentBytes, cancel: () => stop.current?.abort() };
}

/** What an `out_of_capacity` finding is about: orders of a size that were refused, or a server that waits for room. */
export const outOfCapacity = {
  orders: (serverType: string, location: string): string => `${serverType} in ${location}`,
  server: (id: number): string => `server ${id}`,
};

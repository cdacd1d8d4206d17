/** Lines of a section of INFO: name and value. */
export type InfoFields = readonly (readonly [name: string, value: string | number])[];

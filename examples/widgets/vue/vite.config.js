import vue from '@vitejs/plugin-vue';

// Elements, not components of Vue's.
const isCustomElement = (tag) => tag.startsWith('depthwire-');

export default { plugins: [vue({ template: { compilerOptions: { isCustomElement } } })] };

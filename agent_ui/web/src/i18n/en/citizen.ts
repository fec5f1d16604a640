export default {
  title: '12345 hotline',
}

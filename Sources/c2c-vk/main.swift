print("c2c-vk")

print("ShaderCompiler")
